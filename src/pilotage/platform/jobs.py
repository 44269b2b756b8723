"""Work that recurs: a table of jobs, each leased by one worker at a time and repeated after its interval.

A worker says every few seconds that it lives (:mod:`pilotage.platform.beating`). One that dies says nothing more: its
lease ends, and another takes over. A job must therefore be repeatable.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from pilotage.platform import processes
from pilotage.platform.beating import LEASE, beating
from pilotage.platform.database import Instant, insert_ignoring, metadata
from pilotage.platform.errors import PilotageError, in_short
from pilotage.platform.identifiers import new_id
from pilotage.platform.outages import Outage
from pilotage.platform.workspace import Workspace

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("leased_by", sa.String(40)),
    sa.Column("leased_until", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("error", sa.Text, nullable=False),
)

_LOOK_SECONDS = 0.5
_RESTS_MAX = timedelta(hours=1)

log = structlog.get_logger()


@dataclasses.dataclass(frozen=True)
class Job:
    """Something to repeat; ``run`` may be repeated at any time without harm.

    Where it takes long it rests longer than ``every``: ``rests`` times as long as it took, an hour at most, so that it
    never takes more than a share of what the machine has.
    """

    name: str
    every: timedelta
    run: Callable[[Workspace], object]
    rests: float = 0.0

    def pause(self, took: timedelta) -> timedelta:
        """How long it is not due after a run that took so long."""
        return max(self.every, min(self.rests * took, _RESTS_MAX))


class Runner:
    """Runs due jobs until it is closed, each in a thread of its own: a long one does not keep the others waiting."""

    def __init__(self, work: Workspace, todo: Sequence[Job]) -> None:
        self._work = work
        self._jobs = tuple(todo)
        self._worker = new_id("run", work.clock.now())
        self._stopping = threading.Event()
        self._outage = Outage("job_table_unreachable")
        self._is_due = {job.name: threading.Event() for job in self._jobs}
        self._threads = [threading.Thread(target=self._look, name="due jobs", daemon=True)] + [
            threading.Thread(target=self._run, args=(job,), name=f"job {job.name}", daemon=True) for job in self._jobs
        ]

    def start(self) -> None:
        enlist(self._work, self._jobs)
        for thread in self._threads:
            thread.start()

    def close(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for what runs."""
        self._stopping.set()
        for each in self._is_due.values():
            each.set()
        give_up = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(timeout=max(0.0, give_up - time.monotonic()))

    def _look(self) -> None:
        """Wake the threads of jobs that are due: one question for all, not one of each thread."""
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._watched():
                for name in _due(self._work, self._is_due):
                    self._is_due[name].set()

    def _run(self, job: Job) -> None:
        processes.stand_back(processes.FAR_BEHIND)
        is_due = self._is_due[job.name]
        while is_due.wait() and not self._stopping.is_set():
            is_due.clear()
            with self._watched():
                run_if_due(self._work, job, self._worker)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """A database that does not answer is told of once; the next look may reach it."""
        try:
            yield
        except SQLAlchemyError as error:
            self._outage.failed(error)
        else:
            self._outage.ended()


def enlist(work: Workspace, todo: Sequence[Job]) -> None:
    """Make sure that each job has its row; a new one is due at once."""
    with work.database.writing() as connection:
        for job in todo:
            row = {"name": job.name, "due_at": work.clock.now(), "error": ""}
            connection.execute(insert_ignoring(connection, jobs).values(row))


def run_if_due(work: Workspace, job: Job, worker: str) -> bool:
    """Take the job if it is due and nobody holds it, run it, and set when it is due again; whether it ran."""
    now = work.clock.now()
    if not _lease(work, job.name, worker, now):
        return False
    error, began = "", time.monotonic()
    try:
        with beating(partial(_renew, work, job.name, worker), job.name):
            job.run(work)
    except Exception as failure:  # noqa: BLE001  whatever is wrong with one job, the others go on
        error = failure.message if isinstance(failure, PilotageError) else type(failure).__name__
        log.error("job_failed", job=job.name, error=in_short(failure))
    finished = work.clock.now()
    due_at = finished + job.pause(timedelta(seconds=time.monotonic() - began))
    with work.database.writing() as connection:
        connection.execute(
            jobs.update()
            .where(jobs.c.name == job.name, jobs.c.leased_by == worker)
            .values(leased_by=None, leased_until=None, finished_at=finished, due_at=due_at, error=error)
        )
    return True


def _renew(work: Workspace, name: str, worker: str) -> bool:
    held = (jobs.c.name == name, jobs.c.leased_by == worker)
    with work.database.writing() as connection:
        until = work.clock.now() + LEASE
        return connection.execute(jobs.update().where(*held).values(leased_until=until)).rowcount == 1


def _due(work: Workspace, names: Iterable[str]) -> list[str]:
    """Those of the jobs that are due and held by nobody."""
    with work.database.reading() as connection:
        query = sa.select(jobs.c.name).where(jobs.c.name.in_(names), *_is_free(work.clock.now()))
        return list(connection.execute(query).scalars())


def _is_free(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return jobs.c.due_at <= now, sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < now)


def _lease(work: Workspace, name: str, worker: str, now: datetime) -> bool:
    if not _due(work, (name,)):
        return False
    due = (jobs.c.name == name, *_is_free(now))
    with work.database.writing() as connection:
        taken = connection.execute(jobs.update().where(*due).values(leased_by=worker, leased_until=now + LEASE))
        return taken.rowcount == 1
