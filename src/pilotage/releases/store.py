"""The SQL of releasing: versions, what is live, and how it came to be so."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pilotage.platform.database import Instant, metadata
from pilotage.releases.records import Live, Stage, Version

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("candidate", sa.String(32), nullable=False),
    sa.Column("artefact", sa.String(64), nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
    sa.Column("comparison", sa.String(40), nullable=False),
    sa.Column("training_set", sa.String(40), nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False),
    sa.UniqueConstraint("use_case", "number"),
)

# One row per change: the newest revision of a use case is what is live, the others are its history.
live_revisions = sa.Table(
    "live_revisions",
    metadata,
    sa.Column("use_case", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("definition", sa.String(64), nullable=False),
    sa.Column("version", sa.String(40)),
    sa.Column("previous_version", sa.String(40)),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", sa.String(200), nullable=False),
)


def insert_version(connection: sa.Connection, version: Version) -> None:
    """Keep a new version."""
    connection.execute(versions.insert().values({name: getattr(version, name) for name in version.__struct_fields__}))


def find_version(connection: sa.Connection, version_id: str) -> Version | None:
    """The version with this identifier."""
    return _version(connection.execute(sa.select(versions).where(versions.c.id == version_id)).mappings().first())


def find_version_number(connection: sa.Connection, use_case: str, number: int) -> Version | None:
    """The version with this number of a use case."""
    where = (versions.c.use_case == use_case, versions.c.number == number)
    return _version(connection.execute(sa.select(versions).where(*where)).mappings().first())


def versions_of(connection: sa.Connection, use_case: str) -> list[Version]:
    """All versions of a use case, newest first."""
    query = sa.select(versions).where(versions.c.use_case == use_case).order_by(versions.c.number.desc())
    return [Version(**row) for row in connection.execute(query).mappings()]


def insert_live(connection: sa.Connection, live: Live) -> None:
    """Make this what is live. Two changes of the same revision cannot both succeed: the key forbids it."""
    connection.execute(live_revisions.insert().values({name: getattr(live, name) for name in live.__struct_fields__}))


def find_live(connection: sa.Connection, use_case: str) -> Live | None:
    """What is live for a use case: its newest revision."""
    found = history_of(connection, use_case, limit=1)
    return found[0] if found else None


def history_of(connection: sa.Connection, use_case: str, limit: int | None = 50) -> list[Live]:
    """What was live for a use case, newest first: so many changes, or all of them."""
    query = (
        sa.select(live_revisions)
        .where(live_revisions.c.use_case == use_case)
        .order_by(live_revisions.c.revision.desc())
        .limit(limit)
    )
    return [_live(row) for row in connection.execute(query).mappings()]


def revisions(connection: sa.Connection) -> dict[str, int]:
    """The newest revision of every use case: what a worker asks several times a second."""
    query = sa.select(live_revisions.c.use_case, sa.func.max(live_revisions.c.revision)).group_by(
        live_revisions.c.use_case
    )
    return dict(connection.execute(query).all())


def _version(row: Any) -> Version | None:
    return None if row is None else Version(**row)


def _live(row: Any) -> Live:
    return Live(**{**row, "stage": Stage(row["stage"])})
