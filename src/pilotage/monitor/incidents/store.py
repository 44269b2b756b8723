"""The SQL of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from pilotage.monitor.incidents.records import Incident, IncidentStep
from pilotage.platform.database import Instant, insert_ignoring, metadata

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("version", sa.String(40), nullable=False),
    sa.Column("place", sa.String(16), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("times_seen", sa.BigInteger, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("acknowledged_at", Instant, nullable=True),
    sa.Column("acknowledged_by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("closed_at", Instant, nullable=True),
    sa.Column("closed_by", sa.String(200), nullable=False),
    sa.Index(None, "use_case", "opened_at"),
    sa.Index(
        "ix_incidents_open",
        "kind",
        "use_case",
        "version",
        "place",
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)

steps = sa.Table(
    "incident_steps",
    metadata,
    sa.Column("incident", sa.String(40), sa.ForeignKey("incidents.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)


def open_of(connection: sa.Connection, kind: str, use_case: str, version: str, place: str) -> Incident | None:
    """The open incident of this cause."""
    same = (incidents.c.kind == kind, incidents.c.use_case == use_case)
    here = (incidents.c.version == version, incidents.c.place == place, incidents.c.closed_at.is_(None))
    row = connection.execute(sa.select(incidents).where(*same, *here)).mappings().one_or_none()
    return None if row is None else _incident(row)


def insert(connection: sa.Connection, incident: Incident) -> bool:
    """Open an incident; False where another worker opened one of the same cause a moment before."""
    query = insert_ignoring(connection, incidents).values(**msgspec.structs.asdict(incident))
    return bool(connection.execute(query).rowcount)


def seen_again(connection: sa.Connection, identifier: str, at: datetime, times: int, why: str) -> None:
    """It is still so, or began so many times again."""
    values = {"times_seen": incidents.c.times_seen + times, "last_seen_at": at, "why": why}
    connection.execute(incidents.update().where(incidents.c.id == identifier).values(**values))


def change(connection: sa.Connection, identifier: str, **values: Any) -> None:
    """Set columns of one incident."""
    connection.execute(incidents.update().where(incidents.c.id == identifier).values(**values))


def find(connection: sa.Connection, identifier: str) -> Incident | None:
    """One incident."""
    row = connection.execute(sa.select(incidents).where(incidents.c.id == identifier)).mappings().one_or_none()
    return None if row is None else _incident(row)


def newest(
    connection: sa.Connection, use_cases: Sequence[str] | None, *, only_open: bool, limit: int | None
) -> list[Incident]:
    """Incidents of these use cases, or of all: open ones first, then the newest."""
    query = sa.select(incidents).order_by(incidents.c.closed_at.is_not(None), incidents.c.opened_at.desc())
    if use_cases is not None:
        query = query.where(incidents.c.use_case.in_(use_cases))
    if only_open:
        query = query.where(incidents.c.closed_at.is_(None))
    return [_incident(row) for row in connection.execute(query.limit(limit)).mappings()]


def add_step(connection: sa.Connection, identifier: str, step: IncidentStep) -> None:
    """Append to a timeline, within a write transaction that holds the incident."""
    last = sa.select(sa.func.max(steps.c.number)).where(steps.c.incident == identifier)
    number = 1 + (connection.execute(last).scalar() or 0)
    connection.execute(steps.insert().values(incident=identifier, number=number, **msgspec.structs.asdict(step)))


def steps_of(connection: sa.Connection, identifier: str) -> list[IncidentStep]:
    """A timeline, the oldest entry first."""
    query = sa.select(steps).where(steps.c.incident == identifier).order_by(steps.c.number)
    return [
        IncidentStep(row["at"], row["what"], row["by"], row["text"]) for row in connection.execute(query).mappings()
    ]


def _incident(row: Any) -> Incident:
    return Incident(**row)
