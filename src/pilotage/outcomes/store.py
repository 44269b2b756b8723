"""The SQL of outcomes: one row per decision and revision, the newest revision counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.decisions.store import decisions
from pilotage.outcomes.records import JoinedOutcome
from pilotage.platform.database import Instant, Json, metadata

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("decision", sa.String(40), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("happened", Json, nullable=False),
    sa.Column("known_at", Instant, nullable=False),
    sa.Column("joined_at", Instant, nullable=False),
    sa.Column("newest", sa.Boolean, nullable=False),
    sa.Index(None, "use_case", "newest"),
)

_AT_ONCE = 1_000
"""So many parameters are well within what either database takes."""


def decided_since(connection: sa.Connection, use_case: str, since: datetime) -> list[tuple[str, str]]:
    """(decision, entity) of decisions from this moment on; joined ones too, as they may be corrected."""
    query = sa.select(decisions.c.id, decisions.c.entity).where(
        decisions.c.use_case == use_case, decisions.c.moment >= since
    )
    return [(decision, entity) for decision, entity in connection.execute(query)]


def newest_moment(connection: sa.Connection, use_case: str) -> datetime | None:
    """The newest moment that was decided about; None where nothing was."""
    query = sa.select(sa.func.max(decisions.c.moment)).where(decisions.c.use_case == use_case)
    moment: datetime | None = connection.execute(query).scalar()
    return moment


def newest(connection: sa.Connection, use_case: str) -> dict[str, JoinedOutcome]:
    """The outcome that counts, by decision."""
    query = sa.select(outcomes).where(outcomes.c.use_case == use_case, outcomes.c.newest)
    return {row["decision"]: _outcome(row) for row in connection.execute(query).mappings()}


def newest_of(connection: sa.Connection, decided: Sequence[str]) -> dict[str, JoinedOutcome]:
    """The outcome that counts of each of these decisions; those that have none are left out."""
    found: dict[str, JoinedOutcome] = {}
    for start in range(0, len(decided), _AT_ONCE):
        some = decided[start : start + _AT_ONCE]
        query = sa.select(outcomes).where(outcomes.c.decision.in_(some), outcomes.c.newest)
        found |= {row["decision"]: _outcome(row) for row in connection.execute(query).mappings()}
    return found


def of_decision(connection: sa.Connection, decision: str) -> list[JoinedOutcome]:
    """All that was said of one decision, newest first."""
    query = sa.select(outcomes).where(outcomes.c.decision == decision).order_by(outcomes.c.revision.desc())
    return [_outcome(row) for row in connection.execute(query).mappings()]


def add(connection: sa.Connection, found: Sequence[JoinedOutcome]) -> None:
    """Add outcomes; each becomes the one that counts for its decision."""
    if not found:
        return
    older = sa.update(outcomes).where(outcomes.c.decision == sa.bindparam("of")).values(newest=False)
    corrected = [{"of": each.decision} for each in found if each.revision > 1]
    if corrected:
        connection.execute(older, corrected)
    rows = [{**{name: getattr(each, name) for name in each.__struct_fields__}, "newest": True} for each in found]
    connection.execute(outcomes.insert(), rows)


def _outcome(row: Any) -> JoinedOutcome:
    return JoinedOutcome(**{name: row[name] for name in JoinedOutcome.__struct_fields__})
