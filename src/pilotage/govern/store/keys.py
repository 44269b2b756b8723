"""Keys of apps: the SHA-256 of each, never the key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.govern.records import Grant, Key
from pilotage.govern.store import people
from pilotage.platform.database import Instant, metadata

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("made_by", sa.String(80), nullable=False),
    sa.Column("disabled_at", Instant()),
    sa.Column("requests_per_minute", sa.Integer, nullable=False, server_default="0"),
)


def add(connection: sa.Connection, key: Key, key_hash: bytes) -> None:
    """Store a new key's hash, and its grants."""
    row: dict[str, Any] = {"id": key.id, "name": key.name, "hash": key_hash, "prefix": key.prefix}
    row["requests_per_minute"] = key.requests_per_minute
    connection.execute(keys.insert().values(**row, made_at=key.made_at, made_by=key.made_by))
    for grant in key.grants:
        people.give(connection, key.id, grant)


def every(connection: sa.Connection) -> list[Key]:
    """All keys, newest first, with their grants."""
    return [key for _, key in _with_grants(connection, sa.select(keys).order_by(keys.c.made_at.desc(), keys.c.id))]


def usable(connection: sa.Connection) -> list[tuple[bytes, Key]]:
    """Hash and key of all that are not disabled."""
    return _with_grants(connection, sa.select(keys).where(keys.c.disabled_at.is_(None)))


def with_hash(connection: sa.Connection, key_hash: bytes) -> tuple[bytes, Key] | None:
    """The usable key with this hash."""
    query = sa.select(keys).where(keys.c.hash == key_hash, keys.c.disabled_at.is_(None))
    return next(iter(_with_grants(connection, query)), None)


def find(connection: sa.Connection, key_id: str) -> Key | None:
    """One key."""
    query = sa.select(keys).where(keys.c.id == key_id)
    return next((key for _, key in _with_grants(connection, query)), None)


def set_disabled(connection: sa.Connection, key_id: str, at: datetime) -> None:
    """The key opens nothing any more."""
    connection.execute(keys.update().where(keys.c.id == key_id).values(disabled_at=at))


def _with_grants(connection: sa.Connection, query: sa.Select[Any]) -> list[tuple[bytes, Key]]:
    rows = connection.execute(query).all()
    granted = people.grants_of(connection, [row.id for row in rows])
    return [(bytes(row.hash), _key(row, granted[row.id])) for row in rows]


def _key(row: sa.Row[Any], granted: tuple[Grant, ...]) -> Key:
    made = (row.id, row.name, row.prefix, row.made_at, row.made_by, row.disabled_at)
    return Key(*made, granted, row.requests_per_minute)
