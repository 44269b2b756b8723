"""Work that recurs: a table of jobs, each leased by one worker at a time and repeated after its interval.

A worker that dies keeps its lease until it expires; then another takes over. A job must therefore be repeatable.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from pilotage.platform.database import Instant, insert_ignoring, metadata
from pilotage.platform.errors import PilotageError
from pilotage.platform.identifiers import new_id
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

LEASE = timedelta(minutes=10)
_LOOK_SECONDS = 0.5
_CLOSING_SECONDS = 30

log = structlog.get_logger()


@dataclasses.dataclass(frozen=True)
class Job:
    """Something to repeat; ``run`` may be repeated at any time without harm."""

    name: str
    every: timedelta
    run: Callable[[Workspace], object]


class Runner:
    """Runs due jobs until it is closed, each in a thread of its own: a long one does not keep the others waiting."""

    def __init__(self, work: Workspace, todo: Sequence[Job]) -> None:
        self._work = work
        self._jobs = tuple(todo)
        self._worker = new_id("run", work.clock.now())
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(job,), name=f"job {job.name}", daemon=True) for job in self._jobs
        ]

    def start(self) -> None:
        enlist(self._work, self._jobs)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stopping.set()
        give_up = time.monotonic() + _CLOSING_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, give_up - time.monotonic()))

    def _run(self, job: Job) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                run_if_due(self._work, job, self._worker)
            except SQLAlchemyError as error:
                log.error("job_table_unreachable", job=job.name, error=type(error).__name__)


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
    error = ""
    try:
        job.run(work)
    except Exception as failure:  # noqa: BLE001  whatever is wrong with one job, the others go on
        error = failure.message if isinstance(failure, PilotageError) else type(failure).__name__
        log.error("job_failed", job=job.name, error=f"{type(failure).__name__}: {failure}")
    finished = work.clock.now()
    with work.database.writing() as connection:
        connection.execute(
            jobs.update()
            .where(jobs.c.name == job.name, jobs.c.leased_by == worker)
            .values(leased_by=None, leased_until=None, finished_at=finished, due_at=finished + job.every, error=error)
        )
    return True


def _lease(work: Workspace, name: str, worker: str, now: datetime) -> bool:
    free = sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < now)
    due = (jobs.c.name == name, jobs.c.due_at <= now, free)
    with work.database.reading() as connection:
        if connection.execute(sa.select(jobs.c.name).where(*due)).first() is None:
            return False
    with work.database.writing() as connection:
        taken = connection.execute(jobs.update().where(*due).values(leased_by=worker, leased_until=now + LEASE))
        return taken.rowcount == 1
