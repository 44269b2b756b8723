"""Promise 1: a usable answer with any one dependency down, from a served process that is asked all the time.

Usable: status 200, an action, and the model, the rule or the declared default behind it, within the app's patience.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pysqlite3
import pytest

from pilotage.govern.records import SYSTEM
from pilotage.models import artefacts
from pilotage.platform.breaker import PAUSE_SECONDS
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from tests.living import NAME
from tests.postgres import NoPostgres, stoppable_cluster
from tests.promises.asking import Reply, ask_many
from tests.promises.conftest import is_asked_for
from tests.promises.installation import BODY, PATH, Running, Small, installed, running
from tests.promises.table import Promise
from tests.web.serving import wait_until

FEW, MANY = 120, 6_500
"""Without one failure in 6,500, the rate is below 0.05 % with a confidence of 96 %."""
SHARE = 0.9995
LATENCY_MS = 400
PATIENCE_SECONDS = 2.0
ASKING = 6
BREAKER_SECONDS = 2 * PAUSE_SECONDS
"""After so long a model that failed is asked again, and another fault of it can be felt."""
SIZES = [FEW, pytest.param(MANY, marks=pytest.mark.long)]
SPOOL_KB = 512
_numbers = itertools.count()


def asked(served: Running, n: int) -> list[Reply]:
    """So many questions, each about another thing."""
    bodies = ({**BODY, "thing": f"t{number}"} for number in itertools.islice(_numbers, n))
    return ask_many(served.port, served.headers, PATH, bodies, ASKING)


def demand_usable(promise: Promise, what: str, replies: list[Reply], wanted: set[str]) -> None:
    """Enough of them usable, and some of them as the fault makes them: else it was not there."""
    usable = sum(each.is_usable and each.seconds < PATIENCE_SECONDS for each in replies)
    reasons = Counter(each.json["reason"] if each.status == 200 else f"status {each.status}" for each in replies)
    flags = Counter(flag for each in replies if each.status == 200 for flag in each.json.get("flags", ()))
    assert wanted & {*reasons, *flags}, f"{what} was not felt: {reasons}, {flags}"
    share = usable / len(replies)
    promise(1, what=what, figure=f"{share:.2%} usable", n=len(replies), passed=share >= SHARE)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Somebody holds an SQLite file and lets nobody write, nor read where the file has no write-ahead log."""
    with closing(pysqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of half a megabyte at this folder; None where none may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SPOOL_KB}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing more fits on this disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"0" * 1024):
                pass
        except OSError:
            yield
    ballast.unlink()


@contextmanager
def failing(here: Small, **faults: str | float) -> Iterator[None]:
    here.break_with(**faults)
    yield
    here.break_with()


@pytest.mark.parametrize("n", SIZES)
def test_with_the_database_the_live_source_or_the_disk_gone_there_is_an_answer(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, n: int
) -> None:
    with small_disk(work.settings.spool_folder) as disk:
        here = installed(work, monkeypatch, LATENCY_MS, reads_live=True)
        with running(here) as served:
            with locked(work.home / "pilotage.db"):
                demand_usable(promise, "SQLite locked", asked(served, n), {"model"})
            with locked(here.tables):
                unread = {f"not_read:seen:{why}" for why in ("too_slow", "unreachable")}
                demand_usable(promise, "live source locked", asked(served, n), unread)
            wait_until(lambda: served.answers({"reason": "model"}))
            with failing(here, sync="fails"):
                demand_usable(promise, "sync fails", asked(served, n), {"not_recorded"})
            wait_until(lambda: served.answers({"reason": "model"}))
            if disk is None:
                figure = "NOT MEASURED: no small disk may be mounted here"
                promise(1, what="disk full", figure=figure, n=0, passed=not is_asked_for())
                return
            with full(disk):
                demand_usable(promise, "disk full", asked(served, n), {"not_recorded"})


@pytest.mark.long
def test_in_automate_what_cannot_be_recorded_is_answered_by_the_rule(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    here = installed(work, monkeypatch, LATENCY_MS)
    releasing.set_stage(work, NAME, Stage.AUTOMATE, 1.0, SYSTEM, "go")
    with running(here) as served, failing(here, sync="fails"):
        replies = asked(served, MANY)
    acted = sum(each.is_usable and each.json["produced_by"] == "model" for each in replies[ASKING:])
    assert acted == 0, "nothing acts as the model that is not on record"
    demand_usable(promise, "sync fails in automate", replies, {"not_recorded"})


@pytest.mark.long
def test_with_a_model_that_fails_there_is_an_answer(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    here = installed(work, monkeypatch, LATENCY_MS)
    here.break_with(model="slow", seconds=0.002)  # as a model is that may overrun: its scores have threads of their own
    with running(here) as served:
        with failing(here, model="raises", but_one_in=4):
            demand_usable(promise, "model raises", asked(served, MANY), {"model_failed"})
        wait_until(lambda: served.answers({"reason": "model"}), BREAKER_SECONDS)
        with failing(here, model="not_finite"):
            demand_usable(promise, "model not finite", asked(served, MANY), {"not_finite"})
        wait_until(lambda: served.answers({"reason": "model"}), BREAKER_SECONDS)
        with failing(here, model="slow", seconds=2 * LATENCY_MS / 1000):
            demand_usable(promise, "model slow", asked(served, MANY), {"too_slow"})


@pytest.mark.long
def test_with_a_flipped_artefact_there_is_an_answer_also_after_a_restart(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    here = installed(work, monkeypatch, LATENCY_MS)
    entry = artefacts.load(work, here.version.artefact, here.version.signature)[0].files["calibration.json"]
    path = work.lake.path(entry.digest, ".json")
    with running(here) as served:
        content = path.read_bytes()
        path.write_bytes(bytes((content[0] ^ 1,)) + content[1:])
        demand_usable(promise, "artefact flipped", asked(served, MANY), {"model"})
    with running(here, wanted="model_refused") as served:
        demand_usable(promise, "artefact flipped, restarted", asked(served, MANY), {"model_refused"})


@pytest.mark.postgres
@pytest.mark.long
def test_with_postgresql_stopped_there_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    try:
        with stoppable_cluster() as cluster:
            work = open_workspace(Settings(home=tmp_path / "home", database_url=cluster.url))
            here = installed(work, monkeypatch, LATENCY_MS)
            with running(here) as served:
                cluster.stop()
                demand_usable(promise, "PostgreSQL stopped", asked(served, MANY), {"model"})
            work.close()
    except NoPostgres as reason:
        pytest.skip(str(reason))
