"""A job that cannot succeed fails once, and its owner reads at which step; one whose database is away goes on."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.decisions.jobs.arranging import arranged, key_of, work_on
from tests.decisions.jobs.test_sources_and_targets import submitted, written

from pilotage.decisions.durable import draining
from pilotage.decisions.jobs import files, flow, targets
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition


@pytest.fixture
def definition(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Definition:
    return arranged(work, tmp_path, monkeypatch)


@pytest.mark.parametrize("address", ["postgres//nobody:canary@db", "postgresql://nobody:canary@db:port/x", "canary"])
def test_an_address_that_is_none_fails_the_job_without_quoting_it(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    job = submitted(work, key_of(work), source="things", target="newest")
    monkeypatch.setenv("RESULTS", address)
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done, found.lease) == ("failed", 30, 1)
    assert "is no address of a database" in found.error and "canary" not in found.error


def test_a_driver_that_is_not_installed_fails_the_job(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(work, key_of(work), source="things", target="newest")
    monkeypatch.setenv("RESULTS", "mysql://u:canary@127.0.0.1/x")
    monkeypatch.setitem(sys.modules, "pymysql", None)
    work_on(work)
    found = flow.find(work, "small", job)
    assert found.state == "failed"
    assert "mysql+pymysql cannot be used here" in found.error and "canary" not in found.error


def test_what_nobody_expected_fails_the_job_and_is_not_quoted(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(*given: Any) -> int:
        raise RuntimeError("anna.schmidt")

    job = submitted(work, key_of(work), source="things", target="newest")
    monkeypatch.setattr(targets, "write", odd)
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done) == ("failed", 30)
    assert found.error == "The target cannot be written: RuntimeError. The log of that moment says where."


def test_a_control_database_that_is_away_fails_no_job(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*given: Any) -> int:
        raise sa.exc.OperationalError("INSERT", {}, ConnectionError("gone"))

    job = submitted(work, key_of(work), source="things")
    with monkeypatch.context() as patched:
        patched.setattr(draining, "keep_decided", away)
        with pytest.raises(sa.exc.OperationalError):
            work_on(work)
    held = flow.find(work, "small", job)
    assert held.state == "running"
    flow.let_go(work, held)
    work_on(work)
    assert flow.find(work, "small", job).state == "done"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full.")
def test_a_full_disk_is_called_one_and_the_job_goes_on_when_there_is_room(
    work: Workspace, definition: Definition
) -> None:
    job = submitted(work, key_of(work), source="things")
    folder = files.folder_of(work, job)
    folder.mkdir(parents=True)
    (folder / ".part-000000000001.jsonl.1.new").symlink_to("/dev/full")
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.error) == ("failed", "The result cannot be kept: No space left on device.")
    flow.let_go(work, flow.take_up(work, "small", job))
    work_on(work)
    assert flow.find(work, "small", job).state == "done"


def test_files_that_no_job_knows_go_after_a_day(work: Workspace, definition: Definition, clock: FixedClock) -> None:
    now = clock.now().timestamp()
    job = submitted(work, key_of(work), source="things")
    work_on(work)
    for name, hours in (("job_cut_off", 25), ("job_coming", 25), ("job_young", 23), (job, 25)):
        folder = files.folder_of(work, name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "questions.csv").write_bytes(b"thing\n")
        for path in (*folder.iterdir(), folder):
            os.utime(path, (now - hours * 3600,) * 2)
    os.utime(files.folder_of(work, "job_coming") / "questions.csv", (now, now))
    assert flow.forget_old(work) == 1
    assert {each.name for each in (work.home / "jobs").iterdir()} == {"job_coming", "job_young", job}
    assert flow.find(work, "small", job).state == "done"


def test_a_target_that_is_replaced_keeps_its_index_and_the_view_that_reads_it(
    work: Workspace, definition: Definition, tmp_path: Path
) -> None:
    key = key_of(work)
    submitted(work, key, source="things", target="newest")
    work_on(work)
    with contextlib.closing(sqlite3.connect(tmp_path / "results.db")) as database:
        database.executescript(
            "CREATE INDEX mine ON newest_run (entity); CREATE VIEW late AS SELECT job FROM newest_run WHERE positive"
        )
    second = submitted(work, key, source="things", target="newest")
    work_on(work)
    assert flow.find(work, "small", second).error == ""
    assert len(written(tmp_path, "newest_run")) == 30
    with contextlib.closing(sqlite3.connect(tmp_path / "results.db")) as database:
        assert set(database.execute("SELECT job FROM late")) == {(second,)}
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL")}
    assert names == {"newest_run", "mine", "late"}


def test_stopping_waits_no_longer_than_it_may(work: Workspace) -> None:
    worker = flow.JobWorker(work, every_seconds=0.01)
    worker.start()
    began = time.monotonic()
    worker.close(-1.0)
    assert time.monotonic() - began < 4.0
