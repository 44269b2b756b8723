"""The SQL of batch jobs. A job is leased: who dies with it loses it, and ``lease`` tells the two apart."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pilotage.decisions.jobs.records import FINISHED, BatchJob, State
from pilotage.platform.database import Instant, insert_ignoring, metadata

batch_jobs = sa.Table(
    "batch_jobs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("caller", sa.String(40), nullable=False),
    sa.Column("caller_name", sa.String(80), nullable=False),
    sa.Column("format", sa.String(8), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("rows_done", sa.BigInteger, nullable=False),
    sa.Column("rows_refused", sa.BigInteger, nullable=False),
    sa.Column("rows_failed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rows_written", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("source", sa.String(64), nullable=False, server_default=""),
    sa.Column("known_since", Instant),
    sa.Column("known_until", Instant),
    sa.Column("target", sa.String(64), nullable=False, server_default=""),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("seed", sa.LargeBinary(16), nullable=False),
    sa.Column("lease", sa.Integer, nullable=False),
    sa.Column("leased_until", Instant),
    sa.Column("fetched", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "use_case", "made_at"),
    sa.Index(None, "state", "made_at"),
)

_OPEN = ("waiting", "running")


class Progress(Struct, frozen=True):
    """How far a job is, in rows."""

    rows_done: int = 0
    rows_refused: int = 0
    rows_failed: int = 0


def add(connection: sa.Connection, job: BatchJob) -> bool:
    """A new job; False where it is there already, as when its request was taken up again after a crash."""
    row = {name: getattr(job, name) for name in job.__struct_fields__}
    return bool(connection.execute(insert_ignoring(connection, batch_jobs).values(row)).rowcount == 1)


def find(connection: sa.Connection, job_id: str) -> BatchJob | None:
    """One job."""
    row = connection.execute(sa.select(batch_jobs).where(batch_jobs.c.id == job_id)).mappings().first()
    return None if row is None else _job(row)


def of_use_case(connection: sa.Connection, use_case: str, limit: int) -> list[BatchJob]:
    """The newest jobs of a use case, newest first."""
    query = sa.select(batch_jobs).where(batch_jobs.c.use_case == use_case)
    query = query.order_by(batch_jobs.c.made_at.desc(), batch_jobs.c.id.desc()).limit(limit)
    return [_job(row) for row in connection.execute(query).mappings()]


def count_open(connection: sa.Connection, use_case: str) -> int:
    """Jobs of a use case that wait or run."""
    query = sa.select(sa.func.count()).where(batch_jobs.c.use_case == use_case, batch_jobs.c.state.in_(_OPEN))
    return int(connection.execute(query).scalar_one())


def free(connection: sa.Connection, now: datetime) -> list[BatchJob]:
    """Jobs that wait, or whose worker did not say for a while that it lives; oldest first."""
    lost = sa.and_(batch_jobs.c.state == "running", batch_jobs.c.leased_until < now)
    query = sa.select(batch_jobs).where(sa.or_(batch_jobs.c.state == "waiting", lost))
    return [_job(row) for row in connection.execute(query.order_by(batch_jobs.c.made_at)).mappings()]


def take(connection: sa.Connection, job: BatchJob, now: datetime, lease: timedelta) -> BatchJob | None:
    """Take a job as it was found; None where somebody else was first."""
    changes = {"state": "running", "lease": job.lease + 1, "leased_until": now + lease}
    changes["started_at"] = job.started_at or now
    taken = connection.execute(batch_jobs.update().where(*_held(job), batch_jobs.c.state == job.state).values(changes))
    return find(connection, job.id) if taken.rowcount == 1 else None


def renew(connection: sa.Connection, job: BatchJob, leased_until: datetime) -> bool:
    """Say that its worker lives; False where the job is not this worker's any more."""
    return connection.execute(_of_worker(job).values(leased_until=leased_until)).rowcount == 1


def fetched(connection: sa.Connection, job: BatchJob) -> bool:
    """Say that the source was read; False where the job is not this worker's any more."""
    return connection.execute(_of_worker(job).values(fetched=True)).rowcount == 1


def advance(connection: sa.Connection, job: BatchJob, progress: Progress, leased_until: datetime) -> bool:
    """Say how far a job is and that its worker lives; False where it is not this worker's any more."""
    changes = {name: getattr(progress, name) for name in progress.__struct_fields__}
    return connection.execute(_of_worker(job).values(**changes, leased_until=leased_until)).rowcount == 1


def put_back(connection: sa.Connection, job: BatchJob) -> None:
    """Let go of a job that this worker holds: whoever looks next takes it."""
    connection.execute(_of_worker(job).values(state="waiting", leased_until=None))


def finish(connection: sa.Connection, job: BatchJob, state: State, now: datetime, error: str, written: int) -> bool:
    """End a job that this worker holds."""
    changes = {"state": state, "finished_at": now, "error": error, "leased_until": None, "rows_written": written}
    return connection.execute(_of_worker(job).values(changes)).rowcount == 1


def resume(connection: sa.Connection, job_id: str) -> bool:
    """Let a job that failed wait again, after its last whole part; False where it did not fail."""
    changes = {"state": "waiting", "finished_at": None, "error": ""}
    failed = (batch_jobs.c.id == job_id, batch_jobs.c.state == "failed")
    return connection.execute(batch_jobs.update().where(*failed).values(changes)).rowcount == 1


def cancel(connection: sa.Connection, job_id: str, now: datetime) -> bool:
    """End a job whoever holds it; False where it had ended."""
    changes = {"state": "cancelled", "finished_at": now, "leased_until": None}
    still = (batch_jobs.c.id == job_id, batch_jobs.c.state.in_(_OPEN))
    return connection.execute(batch_jobs.update().where(*still).values(changes)).rowcount == 1


def finished_before(connection: sa.Connection, before: datetime) -> list[str]:
    """Jobs that ended before."""
    query = sa.select(batch_jobs.c.id).where(batch_jobs.c.state.in_(sorted(FINISHED)))
    return list(connection.execute(query.where(batch_jobs.c.finished_at < before)).scalars())


def known(connection: sa.Connection, job_ids: Collection[str]) -> set[str]:
    """Which of these identifiers are of jobs."""
    query = sa.select(batch_jobs.c.id).where(batch_jobs.c.id.in_(sorted(job_ids)))
    return set(connection.execute(query).scalars())


def remove(connection: sa.Connection, job_ids: list[str]) -> None:
    """Forget jobs."""
    connection.execute(batch_jobs.delete().where(batch_jobs.c.id.in_(job_ids)))


def _of_worker(job: BatchJob) -> sa.Update:
    return batch_jobs.update().where(*_held(job), batch_jobs.c.state == "running")


def _held(job: BatchJob) -> tuple[sa.ColumnElement[bool], ...]:
    return batch_jobs.c.id == job.id, batch_jobs.c.lease == job.lease


def _job(row: Any) -> BatchJob:
    return BatchJob(**{name: row[name] for name in BatchJob.__struct_fields__})
