"""Recurring work runs once per interval, whoever runs it, and survives the one who ran it."""

from __future__ import annotations

import threading
from datetime import timedelta

from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.jobs import LEASE, Job, enlist, jobs, run_if_due
from pilotage.platform.workspace import Workspace


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
