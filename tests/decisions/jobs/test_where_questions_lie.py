"""A job goes on where its questions lie, with all of its parts, where somebody still wants it and the disk has room."""

from __future__ import annotations

import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.decisions.jobs.arranging import PATH, arranged, ask, key_of, work_on
from tests.decisions.jobs.test_sources_and_targets import submitted, written

from pilotage.data import flow as data
from pilotage.decisions.jobs import api, files, flow, running, targets
from pilotage.govern.records import SYSTEM
from pilotage.platform.beating import LEASE
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def definition(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Definition:
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    return arranged(work, tmp_path, monkeypatch)


def stopped_after(work: Workspace, chunks: int) -> None:
    """A worker that is stopped, as by a new version of the server, when so many chunks are answered."""
    looks = iter(range(1_000))
    assert flow.run_next(work, lambda: next(looks) >= chunks, pause_seconds=0.0)


def test_a_source_that_was_read_is_asked_from_there_and_not_read_again_by_another_host(
    work: Workspace, definition: Definition, tmp_path: Path
) -> None:
    job = submitted(work, key_of(work), source="things", target="newest")
    stopped_after(work, 1)
    here, elsewhere = work.home / "jobs", work.home / "jobs of the first host"
    here.rename(elsewhere)
    assert not flow.run_next(work, lambda: False), "its first rows would be missing here"
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done) == ("waiting", 10)
    elsewhere.rename(here)
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done, found.rows_written) == ("done", 30, 30)
    assert len(written(tmp_path, "newest_run")) == 30


def test_a_source_that_was_not_read_to_its_end_is_read_by_whoever_takes_the_job_over(
    work: Workspace, definition: Definition, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    job = submitted(work, key_of(work), source="things")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(data, "keep_questions", killed)
        flow.run_next(work, lambda: False)
    shutil.rmtree(work.home / "jobs")
    clock.advance(LEASE + timedelta(seconds=1))
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done, found.lease) == ("done", 30, 2)


def test_a_result_that_lacks_a_part_is_not_written_and_says_so(
    work: Workspace, definition: Definition, tmp_path: Path
) -> None:
    key = key_of(work)
    before = submitted(work, key, source="things", target="newest")
    work_on(work)
    job = submitted(work, key, source="things", target="newest")
    stopped_after(work, 1)
    (part,) = files.folder_of(work, job).glob("part-*")
    part.unlink()
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.error) == ("failed", "Of 30 answered rows 20 are in the result's files on this machine.")
    assert {row[2] for row in written(tmp_path, "newest_run")} == {before}


def test_a_job_that_is_cancelled_while_its_table_is_filled_replaces_nothing(
    work: Workspace, definition: Definition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled_meanwhile(*given: Any) -> int:
        count = fill(*given)
        flow.cancel(work, "small", job, SYSTEM)
        return count

    key, fill = key_of(work), targets._fill
    before = submitted(work, key, source="things", target="newest")
    work_on(work)
    job = submitted(work, key, source="things", target="newest")
    monkeypatch.setattr(targets, "_fill", cancelled_meanwhile)
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done, found.rows_written) == ("cancelled", 30, 0)
    assert {row[2] for row in written(tmp_path, "newest_run")} == {before}


def test_a_count_that_a_power_cut_left_empty_is_made_again(work: Workspace, definition: Definition) -> None:
    key = key_of(work)
    job = submitted(work, key, source="things")
    stopped_after(work, 1)
    (files.folder_of(work, job) / "rows").write_text("")
    assert "rows_total" not in ask(work, key, "GET", f"{PATH}/{job}").json()
    work_on(work)
    assert ask(work, key, "GET", f"{PATH}/{job}").json()["rows_total"] == 30


def test_an_upload_leaves_room_on_the_disk_for_what_is_decided(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ("total", "used", "free"))
    monkeypatch.setattr(api.shutil, "disk_usage", lambda _: usage(10**12, 10**12, api.FREE_BYTES_MIN - 1))  # type: ignore[attr-defined]
    answer = ask(work, key_of(work), "POST", PATH, content=b"thing\nt1\n", headers=CSV)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "disk is nearly full" in answer.json()["detail"]
    assert list((work.home / "jobs").iterdir()) == []


def test_where_too_many_wait_nothing_of_a_file_is_taken_in(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "OPEN_MAX", 0)
    answer = ask(work, key_of(work), "POST", PATH, content=b"thing\nt1\n", headers=CSV)
    assert answer.status_code == 429
    assert not (work.home / "jobs").exists()


def test_a_job_that_failed_is_not_resumed_when_its_files_are_gone(
    work: Workspace, definition: Definition, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESULTS", "canary")
    job = submitted(work, key_of(work), source="things", target="newest")
    work_on(work)
    clock.advance(flow.FILES_KEPT + timedelta(seconds=1))
    flow.forget_old(work)
    with pytest.raises(Conflict, match="kept for 7 days"):
        flow.resume(work, "small", job, SYSTEM)
    assert flow.find(work, "small", job).state == "failed"
