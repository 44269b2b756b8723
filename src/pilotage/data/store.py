"""The tables of data: snapshots of sources, how their syncs go, training sets and what was judged on them."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from pilotage.data.records import HoldoutUse, Progress, Snapshot, SourceState, TrainingSet
from pilotage.platform.database import Instant, Json, insert_ignoring, metadata

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("use_case", sa.String(63), nullable=False),
    sa.Column("source", sa.String(63), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("manifest", Json, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Index("ix_snapshots_use_case_source_sequence", "use_case", "source", "sequence"),
)

source_state = sa.Table(
    "source_state",
    metadata,
    sa.Column("use_case", sa.String(63), primary_key=True),
    sa.Column("source", sa.String(63), primary_key=True),
    sa.Column("last_try", Instant),
    sa.Column("last_success", Instant),
    sa.Column("read_until", Instant),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing_since", Instant),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("leased_by", sa.String(80)),
    sa.Column("leased_until", Instant),
)

sync_progress = sa.Table(
    "sync_progress",
    metadata,
    sa.Column("use_case", sa.String(63), primary_key=True),
    sa.Column("source", sa.String(63), primary_key=True),
    sa.Column("progress", Json, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
)

training_sets = sa.Table(
    "training_sets",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("use_case", sa.String(63), nullable=False, index=True),
    sa.Column("body", Json, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
)

holdout_uses = sa.Table(
    "holdout_uses",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("use_case", sa.String(63), nullable=False),
    sa.Column("training_set", sa.String(64), nullable=False),
    sa.Column("comparison", sa.String(64), nullable=False, unique=True),
    sa.Column("train_to", Instant, nullable=False),
    sa.Column("held_from", Instant, nullable=False),
    sa.Column("held_to", Instant, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Index("ix_holdout_uses_use_case_held_to", "use_case", "held_to"),
)


def current_snapshot(connection: sa.Connection, use_case: str, source: str) -> Snapshot | None:
    """The newest snapshot of a source."""
    query = (
        sa.select(snapshots.c.manifest)
        .where(snapshots.c.use_case == use_case, snapshots.c.source == source)
        .order_by(snapshots.c.sequence.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return None if found is None else msgspec.convert(found, Snapshot)


def current_versions(connection: sa.Connection, use_case: str | None) -> dict[str, str]:
    """The newest version of every source that has one, by ``use_case/source``. Costs the sources, not the snapshots."""
    of = source_state.c.use_case, source_state.c.source
    mine = sa.select(snapshots.c.version).where(snapshots.c.use_case == of[0], snapshots.c.source == of[1])
    query = sa.select(*of, mine.order_by(snapshots.c.sequence.desc()).limit(1).scalar_subquery())
    if use_case is not None:
        query = query.where(of[0] == use_case)
    found = connection.execute(query)
    return {f"{owner}/{source}": version for owner, source, version in found if version is not None}


def add_snapshot(connection: sa.Connection, use_case: str, snapshot: Snapshot, now: datetime) -> None:
    """Make this snapshot the newest of its source, which has its row in any case."""
    _ensure_state(connection, use_case, snapshot.source)
    connection.execute(
        snapshots.insert().values(
            use_case=use_case, source=snapshot.source, version=snapshot.version, manifest=snapshot, made_at=now
        )
    )


def states(connection: sa.Connection, use_case: str) -> dict[str, SourceState]:
    """How syncing goes, by source; a source that was never tried is not there."""
    columns = [source_state.c[field] for field in SourceState.__struct_fields__]
    query = sa.select(*columns).where(source_state.c.use_case == use_case, source_state.c.last_try.is_not(None))
    return {row.source: SourceState(*row) for row in connection.execute(query.order_by(source_state.c.source))}


def lease(
    connection: sa.Connection, use_case: str, source: str, holder: str, now: datetime, until: datetime
) -> str | None:
    """Let one holder sync a source until then; who has it already, where somebody has."""
    _ensure_state(connection, use_case, source)
    here = _of(use_case, source)
    free = sa.or_(source_state.c.leased_until.is_(None), source_state.c.leased_until <= now)
    taken = connection.execute(source_state.update().where(*here, free).values(leased_by=holder, leased_until=until))
    if taken.rowcount == 1:
        return None
    return str(connection.execute(sa.select(source_state.c.leased_by).where(*here)).scalar_one())


def extend_lease(connection: sa.Connection, use_case: str, source: str, holder: str, until: datetime | None) -> bool:
    """Keep a holder's lease until then, or end it (None); whether it still had it."""
    mine = (*_of(use_case, source), source_state.c.leased_by == holder)
    ended = {"leased_by": None} if until is None else {}
    return connection.execute(source_state.update().where(*mine).values(leased_until=until, **ended)).rowcount == 1


def add_success(connection: sa.Connection, use_case: str, source: str, now: datetime, until: datetime) -> None:
    """A source was read up to ``until``."""
    read = {"last_try": now, "last_success": now, "read_until": until}
    well = {"failures": 0, "failing_since": None, "error": ""}
    _remember(connection, use_case, source, {**read, **well})


def add_failure(connection: sa.Connection, use_case: str, source: str, now: datetime, error: str) -> int:
    """A source could not be read; how many tries in a row have failed now."""
    since = sa.func.coalesce(source_state.c.failing_since, now)
    said = {"last_try": now, "failures": source_state.c.failures + 1, "failing_since": since, "error": error}
    _remember(connection, use_case, source, said)
    query = sa.select(source_state.c.failures).where(*_of(use_case, source))
    return int(connection.execute(query).scalar_one())


def _ensure_state(connection: sa.Connection, use_case: str, source: str) -> None:
    never = {"use_case": use_case, "source": source, "failures": 0, "error": ""}
    connection.execute(insert_ignoring(connection, source_state).values(never))


def _remember(connection: sa.Connection, use_case: str, source: str, values: dict[str, object]) -> None:
    _ensure_state(connection, use_case, source)
    connection.execute(source_state.update().where(*_of(use_case, source)).values(**values))


def _of(use_case: str, source: str) -> tuple[sa.ColumnElement[bool], ...]:
    return source_state.c.use_case == use_case, source_state.c.source == source


def progress(connection: sa.Connection, use_case: str, source: str) -> Progress | None:
    """How far the first sync of a large source came before it was cut off."""
    query = sa.select(sync_progress.c.progress).where(*_progress_of(use_case, source))
    found = connection.execute(query).scalar()
    return None if found is None else msgspec.convert(found, Progress)


def keep_progress(connection: sa.Connection, use_case: str, source: str, made: Progress, now: datetime) -> None:
    """Remember how far the first sync of a source came."""
    forget_progress(connection, use_case, source)
    connection.execute(sync_progress.insert().values(use_case=use_case, source=source, progress=made, made_at=now))


def forget_progress(connection: sa.Connection, use_case: str, source: str) -> None:
    """The first sync of a source is done, or begins anew."""
    connection.execute(sync_progress.delete().where(*_progress_of(use_case, source)))


def _progress_of(use_case: str, source: str) -> tuple[sa.ColumnElement[bool], ...]:
    return sync_progress.c.use_case == use_case, sync_progress.c.source == source


def add_training_set(connection: sa.Connection, training_set: TrainingSet) -> None:
    """Keep what is known of a training set; its rows lie in the lake."""
    connection.execute(
        training_sets.insert().values(
            id=training_set.id, use_case=training_set.use_case, body=training_set, made_at=training_set.made_at
        )
    )


def latest_training_set(connection: sa.Connection, use_case: str) -> TrainingSet | None:
    """The training set built last."""
    query = (
        sa.select(training_sets.c.body)
        .where(training_sets.c.use_case == use_case)
        .order_by(training_sets.c.sequence.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return None if found is None else msgspec.convert(found, TrainingSet)


def training_set(connection: sa.Connection, identifier: str) -> TrainingSet | None:
    """One training set, by its identifier."""
    found = connection.execute(sa.select(training_sets.c.body).where(training_sets.c.id == identifier)).scalar()
    return None if found is None else msgspec.convert(found, TrainingSet)


def add_holdout_use(connection: sa.Connection, use: HoldoutUse) -> None:
    """Enter that candidates were judged on a period."""
    values = {field: getattr(use, field) for field in HoldoutUse.__struct_fields__}
    connection.execute(holdout_uses.insert().values(values))


def holdout_uses_within(
    connection: sa.Connection, use_case: str, held_from: datetime, held_to: datetime
) -> tuple[HoldoutUse, ...]:
    """The judgements of a use case on any part of a period, the oldest first."""
    columns = [holdout_uses.c[field] for field in HoldoutUse.__struct_fields__]
    overlapping = (holdout_uses.c.held_from < held_to, holdout_uses.c.held_to > held_from)
    query = sa.select(*columns).where(holdout_uses.c.use_case == use_case, *overlapping)
    return tuple(HoldoutUse(*row) for row in connection.execute(query.order_by(holdout_uses.c.sequence)))


def holdout_use(connection: sa.Connection, comparison: str) -> HoldoutUse | None:
    """The judgement that made a comparison."""
    columns = [holdout_uses.c[field] for field in HoldoutUse.__struct_fields__]
    row = connection.execute(sa.select(*columns).where(holdout_uses.c.comparison == comparison)).first()
    return None if row is None else HoldoutUse(*row)
