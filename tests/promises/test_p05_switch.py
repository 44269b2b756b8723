"""Promise 5: the switch reaches every worker within a second, also while the database is down, and after a restart."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
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
from pilotage.usecase import flow as defining
from tests.decisions.losing import HERE
from tests.living import NAME
from tests.postgres import Cluster
from tests.promises import switching_worker
from tests.promises.table import Promise
from tests.releases.distinguishable import adopted, version_saying

WORKERS, REPLICAS = 2, 3
MEASURED = bool(os.environ.get("PROMISES"))
WITHIN_SECONDS = 1.0 if MEASURED else 5.0
"""Beside other tests, on cores that they share, processes wait for their turn; measured is where nothing else runs."""
TIMES = 20 if MEASURED else 3
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

    def saw(self, wanted: str, after: float) -> float:
        """When it first answered for this reason or by this version, after an instant in seconds since 1970."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            lines = [line.split() for line in self._said.read_text().splitlines(keepends=True) if line.endswith("\n")]
            found = [float(at) for at, *told in lines if wanted in told]
            if late := [at for at in found if at >= after]:
                return late[0]
            assert self.process.poll() is None, self._said.with_suffix(".log").read_text()[-2000:]
            time.sleep(0.01)
        raise AssertionError(f"never {wanted!r}: {self._said.read_text()}")


@contextmanager
def workers(settings: Settings, count: int = WORKERS) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            worker = Worker(settings)
            stack.callback(worker.process.wait)
            stack.callback(worker.process.kill)
            started.append(worker)
        yield started


def live_in_assist(work: Workspace) -> None:
    definition = adopted(work)
    releasing.release(work, definition, version_saying(work, definition, 1), SYSTEM, "first")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")


def slowest(asked: list[Worker], wanted: str, at: float) -> float:
    return max(worker.saw(wanted, at) for worker in asked) - at


def test_every_worker_follows_the_switch_within_a_second(work: Workspace, promise: Promise) -> None:
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
    assert hostswitch.names(work.home) == frozenset(), "the database has it: nothing is left on the host"
    assert [each.detail["enabled"] for each in governing.entries(work, "switch.disabled")] == [[True, False]] * TIMES
    figure = f"off within {max(off):.2f} s, on within {max(on):.2f} s, in {WORKERS} workers"
    promise(5, what="switch", figure=figure, n=TIMES * WORKERS, passed=max(off) < WITHIN_SECONDS)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.postgres
def test_three_replicas_on_one_postgresql_follow_switch_swap_and_roll_back_within_a_second(
    work: Workspace, promise: Promise
) -> None:
    live_in_assist(work)
    definition, first = defining.find_adopted(work, NAME), releasing.live(work, NAME).version or ""
    second = version_saying(work, definition, 2)
    took: dict[str, list[float]] = {"off": [], "on": [], "swap": [], "roll back": []}
    with workers(work.settings, REPLICAS) as replicas:
        slowest(replicas, "model", 0.0)

        def timed(what: str, wanted: str, change: Callable[[], object]) -> None:
            at = time.time()
            change()
            took[what].append(slowest(replicas, wanted, at))

        for _ in range(TIMES):
            timed("off", "disabled", partial(switching.switch_off, work.settings, NAME, "wrong weather", SYSTEM))
            timed("on", first, partial(switching.switch_on, work, NAME, SYSTEM, "right again"))
            timed("swap", second.id, partial(releasing.release, work, definition, second, SYSTEM, "better"))
            timed("roll back", first, partial(releasing.roll_back, work, NAME, SYSTEM, "worse"))
    said = ", ".join(f"{what} within {max(seconds):.2f} s" for what, seconds in took.items())
    is_quick = max(max(seconds) for seconds in took.values()) < WITHIN_SECONDS
    promise(5, what="replicas", figure=f"{said}, in {REPLICAS} replicas", n=TIMES * len(took), passed=is_quick)


@pytest.mark.postgres
def test_with_the_database_down_the_switch_works_on_the_host_and_survives_a_restart(
    cluster: Cluster, tmp_path: Path, promise: Promise
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
    work.close()
    assert len(restarted) == WORKERS
    figure = f"off within {taken:.2f} s, also after a restart; on again in {again:.2f} s"
    promise(5, what="database down", figure=figure, n=WORKERS, passed=taken < WITHIN_SECONDS)


def test_what_the_host_says_of_an_unknown_use_case_or_one_that_is_off_is_taken_back(work: Workspace) -> None:
    live_in_assist(work)
    with pytest.raises(Exception, match="no use case nothing"):
        switching.switch_off(work.settings, "nothing", "wrong", SYSTEM)
    switching.switch_off(work.settings, NAME, "wrong", SYSTEM)
    with pytest.raises(Conflict, match="already switched off"):
        switching.switch_off(work.settings, NAME, "wrong", SYSTEM)
    assert hostswitch.names(work.home) == frozenset()
