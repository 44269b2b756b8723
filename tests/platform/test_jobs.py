"""Recurring work runs once per interval, whoever runs it, and survives the one who ran it."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from pilotage.platform import beating
from pilotage.platform.beating import LEASE
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.jobs import Job, Runner, enlist, jobs, run_if_due
from pilotage.platform.workspace import Workspace

pytestmark = pytest.mark.both_stores


def counting(ran: list[int]) -> Job:
    return Job("count", timedelta(minutes=1), lambda work: ran.append(1))


def test_a_job_runs_when_it_is_due_and_then_after_its_interval(work: Workspace, clock: FixedClock) -> None:
    ran: list[int] = []
    job = counting(ran)
    enlist(work, [job])
    assert run_if_due(work, job, "one")
    assert not run_if_due(work, job, "one")
    clock.advance(timedelta(minutes=1))
    assert run_if_due(work, job, "two")
    assert len(ran) == 2


def test_of_many_workers_one_runs_it(work: Workspace) -> None:
    ran: list[int] = []
    job = counting(ran)
    enlist(work, [job])
    workers = [threading.Thread(target=run_if_due, args=(work, job, f"worker {n}")) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(ran) == 1


def test_the_lease_of_a_dead_worker_expires(work: Workspace, clock: FixedClock) -> None:
    ran: list[int] = []
    job = counting(ran)
    enlist(work, [job])
    with work.database.writing() as connection:
        connection.execute(jobs.update().values(leased_by="dead", leased_until=clock.now() + LEASE))
    assert not run_if_due(work, job, "alive")
    clock.advance(LEASE + timedelta(seconds=1))
    assert run_if_due(work, job, "alive")


def test_a_defect_in_one_job_does_not_end_the_others(work: Workspace, clock: FixedClock) -> None:
    def break_down(work: Workspace) -> None:
        raise RuntimeError("a defect")

    job = Job("sync", timedelta(minutes=1), break_down)
    enlist(work, [job])
    assert run_if_due(work, job, "one")
    with work.database.reading() as connection:
        assert connection.execute(jobs.select()).mappings().one()["error"] == "RuntimeError"


def test_a_failure_is_kept_with_its_message_and_tried_again(work: Workspace, clock: FixedClock) -> None:
    def fail(work: Workspace) -> None:
        raise SourceUnavailable("weather cannot be read.")

    job = Job("sync", timedelta(minutes=1), fail)
    enlist(work, [job])
    assert run_if_due(work, job, "one")
    with work.database.reading() as connection:
        kept = connection.execute(jobs.select()).mappings().one()
    assert kept["error"] == "weather cannot be read."
    assert kept["leased_by"] is None
    clock.advance(timedelta(minutes=1))
    assert run_if_due(work, job, "one")


def test_a_job_that_lasts_longer_than_its_lease_keeps_it(
    work: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beating, "BEAT_SECONDS", 0.02)
    taken_by_another: list[bool] = []

    def last(work: Workspace) -> None:
        for _ in range(3):
            clock.advance(LEASE * 0.9)
            until = clock.now() + LEASE
            while leased_until(work) < until:
                time.sleep(0.01)
            taken_by_another.append(run_if_due(work, job, "two"))

    job = Job("long", timedelta(minutes=1), last)
    enlist(work, [job])
    assert run_if_due(work, job, "one")
    assert taken_by_another == [False] * 3


def leased_until(work: Workspace) -> datetime:
    with work.database.reading() as connection:
        found: datetime = connection.execute(sa.select(jobs.c.leased_until)).scalar_one()
    return found


def test_a_job_that_takes_long_rests_many_times_as_long(work: Workspace, clock: FixedClock) -> None:
    job = Job("look", timedelta(seconds=2), lambda _: time.sleep(0.1), rests=100)
    enlist(work, [job])
    assert run_if_due(work, job, "one")
    clock.advance(timedelta(seconds=9.9))
    assert not run_if_due(work, job, "one")
    clock.advance(timedelta(minutes=2))
    assert run_if_due(work, job, "one")


def test_a_job_rests_as_long_as_its_interval_at_least_and_an_hour_at_most() -> None:
    job = Job("look", timedelta(seconds=2), lambda _: None, rests=20)
    pauses = [job.pause(timedelta(seconds=took)) for took in (0.01, 0.5, 1_000)]
    assert pauses == [timedelta(seconds=2), timedelta(seconds=10), timedelta(hours=1)]
    assert Job("day", timedelta(days=1), lambda _: None).pause(timedelta(hours=3)) == timedelta(days=1)


def unfinished(work: Workspace) -> list[str]:
    with work.database.reading() as connection:
        return list(connection.execute(sa.select(jobs.c.name).where(jobs.c.finished_at.is_(None))).scalars())


def test_a_runner_runs_what_is_due_beside_a_long_one_and_asks_once_for_all_that_wait(
    work: Workspace, clock: FixedClock
) -> None:
    ran: list[str] = []
    began, end = threading.Event(), threading.Event()

    def long(_: Workspace) -> None:
        began.set()
        end.wait(10)

    todo = [Job("long", timedelta(minutes=1), long)]
    todo += [Job(f"job{n}", timedelta(minutes=1), lambda _, n=n: ran.append(f"job{n}")) for n in range(6)]  # type: ignore[misc]
    runner = Runner(work, todo)
    runner.start()
    try:
        until = time.monotonic() + 20
        while len(ran) < 6 or not began.is_set():
            assert time.monotonic() < until, ran
            time.sleep(0.01)
        assert sorted(ran) == [f"job{n}" for n in range(6)]
        while unfinished(work) != ["long"]:
            assert time.monotonic() < until
            time.sleep(0.01)
        asked: list[str] = []
        sa.event.listen(work.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        time.sleep(1.2)
        looks = [each for each in asked if each.startswith("SELECT jobs.name")]
        assert 1 <= len(looks) <= 3
        clock.advance(timedelta(minutes=2))
        while len(ran) < 12:
            assert time.monotonic() < until, ran
            time.sleep(0.01)
    finally:
        end.set()
        runner.close(10)
    assert not [each for each in threading.enumerate() if each.name.startswith(("job ", "due jobs"))]
