"""The SQL of kept readings: what was counted of a large ledger, one row per use case, reading and version."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict

from pilotage.platform.database import Instant, insert_ignoring, metadata

readings = sa.Table(
    "kept_readings",
    metadata,
    sa.Column("use_case", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("of_version", sa.Boolean, primary_key=True),
    sa.Column("definition", sa.String(64), nullable=False),
    sa.Column("counted_at", Instant, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)


class Place(Struct, frozen=True):
    """Which reading it is. ``of_version``: only of decisions of this version, of none where it is empty."""

    use_case: str
    name: str
    version: str
    of_version: bool


class Stored(Struct, frozen=True):
    """A reading as JSON, of which file it is (its SHA-256), when it was made and how long that took."""

    definition: str
    counted_at: datetime
    seconds: float
    body: bytes


def find(connection: sa.Connection, place: Place, definition: str) -> Stored | None:
    """The reading that was kept last, where it is of this file."""
    columns = [readings.c[name] for name in Stored.__struct_fields__]
    query = sa.select(*columns).where(*_at(place), readings.c.definition == definition)
    row = connection.execute(query).first()
    return None if row is None else Stored(*row)


def keep(connection: sa.Connection, place: Place, stored: Stored) -> None:
    """Put a reading in the place of the one before, unless that was made after it."""
    values = asdict(stored)
    connection.execute(insert_ignoring(connection, readings).values(**asdict(place), **values))
    older = (*_at(place), readings.c.counted_at <= stored.counted_at)
    connection.execute(sa.update(readings).where(*older).values(**values))


def _at(place: Place) -> list[sa.ColumnElement[bool]]:
    return [readings.c[name] == value for name, value in asdict(place).items()]
