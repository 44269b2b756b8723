"""A worker that is killed at work: another goes on within half a minute. One that only takes long keeps its job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.decisions.jobs.arranging import arranged

from pilotage.decisions import flow as deciding
from pilotage.decisions import store
from pilotage.decisions.jobs import flow, running
from pilotage.decisions.jobs.records import Asked
from pilotage.govern.records import SYSTEM
from pilotage.platform import beating, jobs
from pilotage.platform.jobs import Job, enlist, run_if_due
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
SHORT_SECONDS = 1.5
ROWS = 400
SECONDS_MAX = 30.0
LEASES = [pytest.param(SHORT_SECONDS), pytest.param(0.0, marks=pytest.mark.long)]
"""A short lease in the fast tests; that of the product, which 0 stands for, in the long ones."""


@pytest.fixture
def living(tmp_path: Path, database_url: str) -> Iterator[Workspace]:
    """An installation whose clock goes."""
    work = open_workspace(Settings(home=tmp_path / "home", database_url=database_url))
    yield work
    work.close()


@pytest.fixture
def definition(living: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Definition:
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    return arranged(living, tmp_path, monkeypatch, ROWS)


def killed_at_work(work: Workspace, lease_seconds: float, kind: str) -> float:
    """Start a worker, kill it once it is at work; when that was."""
    environment = {**os.environ, "PILOTAGE_HOME": str(work.home)}
    command = [sys.executable, "-m", "tests.decisions.jobs.dying_worker", str(lease_seconds), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as worker:
        assert worker.stdout is not None
        for _ in range(3 if kind == "batch" else 1):
            assert worker.stdout.readline() == "at work\n"
        worker.send_signal(signal.SIGKILL)
        return time.monotonic()


@pytest.mark.parametrize("lease_seconds", LEASES)
def test_the_job_of_a_killed_worker_is_taken_up_and_nothing_is_decided_twice(
    living: Workspace, definition: Definition, lease_seconds: float
) -> None:
    job = flow.submit(living, definition, SYSTEM, Asked(source="things"), flow.named(living))
    killed = killed_at_work(living, lease_seconds, "batch")
    left = flow.find(living, "small", job.id)
    assert left.state == "running" and 0 < left.rows_done < ROWS
    assert not flow.run_next(living, lambda: False)
    while not flow.run_next(living, lambda: False, pause_seconds=0.0):
        assert time.monotonic() - killed < SECONDS_MAX
        time.sleep(0.1)
    took = time.monotonic() - killed
    found = flow.find(living, "small", job.id)
    assert (found.state, found.rows_done) == ("done", ROWS)
    with living.database.reading() as connection:
        assert store.count(connection) == ROWS
    assert deciding.verify_recorded(living).valid
    assert took < SECONDS_MAX
    print(f"taken up and done {took:.1f} s after SIGKILL, {ROWS} rows, n = 1")


@pytest.mark.parametrize("lease_seconds", LEASES)
def test_recurring_work_of_a_killed_worker_is_taken_up(living: Workspace, lease_seconds: float) -> None:
    killed = killed_at_work(living, lease_seconds, "recurring")
    ran: list[int] = []
    job = Job("sleepy", timedelta(minutes=1), lambda work: ran.append(1))
    assert not run_if_due(living, job, "alive")
    while not run_if_due(living, job, "alive"):
        assert time.monotonic() - killed < SECONDS_MAX
        time.sleep(0.1)
    assert ran == [1]
    print(f"taken up {time.monotonic() - killed:.1f} s after SIGKILL, n = 1")


def test_recurring_work_that_takes_longer_than_its_lease_is_kept(
    living: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(beating, "BEAT_SECONDS", 0.1)
    others: list[bool] = []

    def long(work: Workspace) -> None:
        for _ in range(8):
            time.sleep(0.3)
            others.append(run_if_due(work, job, "another"))

    job = Job("long", timedelta(minutes=1), long)
    enlist(living, [job])
    assert run_if_due(living, job, "first")
    assert others == [False] * 8


def test_a_chunk_that_takes_longer_than_the_lease_is_kept(
    living: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (running, flow):
        monkeypatch.setattr(place, "LEASE", timedelta(seconds=2.5))
    monkeypatch.setattr(beating, "BEAT_SECONDS", 0.1)
    job = flow.submit(living, definition, SYSTEM, Asked(source="things"), flow.named(living))
    looks = iter(range(ROWS))
    others: list[bool] = []

    def slow_at_first() -> bool:
        if next(looks) == 0:
            time.sleep(3)
            others.append(flow.run_next(living, lambda: False))
        return False

    flow.run_next(living, slow_at_first, pause_seconds=0.0)
    assert others == [False]
    assert flow.find(living, "small", job.id).lease == 1
