"""The tables of data: which snapshot of a source is current, and which training sets were built."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from pilotage.data.records import Snapshot, TrainingSet
from pilotage.platform.database import Instant, Json, metadata

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

training_sets = sa.Table(
    "training_sets",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("use_case", sa.String(63), nullable=False, index=True),
    sa.Column("body", Json, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
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
    """The newest version of every source, by ``use_case/source``."""
    newest = sa.select(sa.func.max(snapshots.c.sequence)).group_by(snapshots.c.use_case, snapshots.c.source)
    query = sa.select(snapshots.c.use_case, snapshots.c.source, snapshots.c.version).where(
        snapshots.c.sequence.in_(newest)
    )
    if use_case is not None:
        query = query.where(snapshots.c.use_case == use_case)
    return {f"{owner}/{source}": version for owner, source, version in connection.execute(query)}


def add_snapshot(connection: sa.Connection, use_case: str, snapshot: Snapshot, now: datetime) -> None:
    """Make this snapshot the newest of its source."""
    connection.execute(
        snapshots.insert().values(
            use_case=use_case, source=snapshot.source, version=snapshot.version, manifest=snapshot, made_at=now
        )
    )


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
