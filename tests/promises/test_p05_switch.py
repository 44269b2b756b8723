"""Promise 5: the switch reaches every worker within a second, also while the database is down, and after a restart."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import Conflict
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases import hostswitch, switching
from pilotage.releases.records import Stage
from tests.decisions.losing import HERE
from tests.living import NAME
from tests.postgres import Cluster, NoPostgres, stoppable_cluster
from tests.promises import switching_worker
from tests.releases.distinguishable import adopted, version_saying

WORKERS = 2
WITHIN_SECONDS = 1.0
TIMES = 3
WAIT_SECONDS = 60


class Worker:
    """A worker process and what it said."""

    def __init__(self, settings: Settings) -> None:
        environment = {**HERE, "PILOTAGE_HOME": str(settings.home), "PILOTAGE_LOG_LEVEL": "CRITICAL"}
        if settings.database_url:
            environment["PILOTAGE_DATABASE_URL"] = settings.database_url
        environment["PYTHONPATH"] = os.pathsep.join((str(Path.cwd()), environment["PYTHONPATH"]))
        self._said = settings.home / f"said-{time.monotonic_ns()}"
        self._said.touch()
        command = [sys.executable, "-m", switching_worker.__name__, NAME, str(self._said)]
        with self._said.with_suffix(".log").open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def saw(self, reason: str, after: float) -> float:
        """When it first answered for this reason, after an instant in seconds since 1970."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            lines = [line.split() for line in self._said.read_text().splitlines(keepends=True) if line.endswith("\n")]
            found = [float(at) for at, why in lines if why == reason]
            if late := [at for at in found if at >= after]:
                return late[0]
            assert self.process.poll() is None, self._said.with_suffix(".log").read_text()[-2000:]
            time.sleep(0.01)
        raise AssertionError(f"never {reason!r}: {self._said.read_text()}")


@contextmanager
def workers(settings: Settings) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        started = []
        for _ in range(WORKERS):
            worker = Worker(settings)
            stack.callback(worker.process.wait)
            stack.callback(worker.process.kill)
            started.append(worker)
        yield started


def live_in_assist(work: Workspace) -> None:
    definition = adopted(work)
    releasing.release(work, definition, version_saying(work, definition, 1), SYSTEM, "first")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")


def slowest(asked: list[Worker], reason: str, at: float) -> float:
    return max(worker.saw(reason, at) for worker in asked) - at


def test_every_worker_follows_the_switch_within_a_second(work: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    live_in_assist(work)
    off, on = [], []
    with workers(work.settings) as both:
        slowest(both, "model", 0.0)
        for _ in range(TIMES):
            at = time.time()
            switching.switch_off(work.settings, NAME, "wrong weather", SYSTEM)
            off.append(slowest(both, "disabled", at))
            at = time.time()
            switching.switch_on(work, NAME, SYSTEM, "right again")
            on.append(slowest(both, "model", at))
    with capsys.disabled():
        print(f"\nPromise 5: off within {max(off):.2f} s, on within {max(on):.2f} s, in {WORKERS} workers, n = {TIMES}")
    assert max(off) < WITHIN_SECONDS
    assert hostswitch.names(work.home) == frozenset(), "the database has it: nothing is left on the host"
    assert [each.detail["enabled"] for each in governing.entries(work, "switch.disabled")] == [[True, False]] * TIMES


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    try:
        with stoppable_cluster() as started:
            yield started
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.mark.postgres
def test_with_the_database_down_the_switch_works_on_the_host_and_survives_a_restart(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path / "home", database_url=cluster.url)
    work = open_workspace(settings)
    live_in_assist(work)
    with workers(settings) as both:
        slowest(both, "model", 0.0)
        cluster.stop()
        at = time.time()
        done = switching.switch_off(settings, NAME, "wrong weather", SYSTEM)
        taken = slowest(both, "disabled", at)
        assert done.live is None
    assert hostswitch.names(settings.home) == {NAME}
    cluster.start()
    work.database.engine.dispose()
    assert releasing.live(work, NAME).enabled, "the database does not know yet"
    with workers(settings) as both:
        restarted = [worker.saw("disabled", at) for worker in both]
        until = time.monotonic() + WAIT_SECONDS
        while hostswitch.names(settings.home):
            assert time.monotonic() < until
            time.sleep(0.05)
        live = releasing.live(work, NAME)
        assert not live.enabled
        assert live.reason.startswith("wrong weather (by ")
        assert len(list(governing.entries(work, "switch.disabled"))) == 1, "one entry, of however many workers"
        back = time.time()
        switching.switch_on(work, NAME, SYSTEM, "right again")
        again = slowest(both, "model", back)
    with capsys.disabled():
        print(f"\nPromise 5: database down, off within {taken:.2f} s in {WORKERS} workers; on again in {again:.2f} s")
    work.close()
    assert taken < WITHIN_SECONDS
    assert len(restarted) == WORKERS


def test_what_the_host_says_of_an_unknown_use_case_or_one_that_is_off_is_taken_back(work: Workspace) -> None:
    live_in_assist(work)
    with pytest.raises(Exception, match="no use case nothing"):
        switching.switch_off(work.settings, "nothing", "wrong", SYSTEM)
    switching.switch_off(work.settings, NAME, "wrong", SYSTEM)
    with pytest.raises(Conflict, match="already switched off"):
        switching.switch_off(work.settings, NAME, "wrong", SYSTEM)
    assert hostswitch.names(work.home) == frozenset()
