"""The SQL of outcomes: one row per decision and revision, the newest revision counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from pilotage.data.records import Snapshot
from pilotage.data.store import snapshots
from pilotage.decisions.records import Decision
from pilotage.decisions.store import decisions, decode
from pilotage.outcomes.records import Decided, JoinedOutcome
from pilotage.platform.database import Instant, Json, metadata
from pilotage.review.store import cases

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
    sa.Column("told_by", sa.String(240), nullable=False, server_default=""),
    sa.Column("known_before", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "use_case", "newest", "decision"),
)

_AT_ONCE = 1_000
"""So many parameters are well within what either database takes."""


def decided_since(connection: sa.Connection, use_case: str, since: datetime, after: str, limit: int) -> list[Decided]:
    """The next so many decisions after this identifier that were answered, or are about a moment, from ``since`` on.

    Joined ones too, as they may be corrected.
    """
    columns = (decisions.c.id, decisions.c.entity, decisions.c.moment, decisions.c.decided_at, outcomes.c.known_at)
    young = sa.or_(decisions.c.decided_at >= since, decisions.c.moment >= since)
    query = (
        sa.select(*columns)
        .outerjoin(outcomes, sa.and_(outcomes.c.decision == decisions.c.id, outcomes.c.newest))
        .where(decisions.c.use_case == use_case, decisions.c.id > after, young)
        .order_by(decisions.c.id)
        .limit(limit)
    )
    return [Decided(*row) for row in connection.execute(query)]


def answered(connection: sa.Connection, use_case: str) -> tuple[int, datetime | None]:
    """How many decisions there are, and when the newest was answered; None where there is none."""
    query = sa.select(sa.func.count(), sa.func.max(decisions.c.decided_at)).where(decisions.c.use_case == use_case)
    count, newest_at = connection.execute(query).one()
    return count, newest_at


def reached(
    connection: sa.Connection, use_case: str, source: str, instants: Sequence[datetime]
) -> list[datetime | None]:
    """How far the source's newest snapshot reached that had been made before each instant, by the source's own clock.

    None where there was no snapshot yet, or an empty one. A static source has no clock: then it is when it was read.
    Only the snapshots between the first and the last of these instants are looked at.
    """
    if not instants:
        return []
    made = _made_between(connection, use_case, source, min(instants), max(instants))
    before = [bisect_left(made, at, key=lambda each: each[0]) for at in instants]
    ends = {place: _end(connection, *made[place - 1]) for place in set(before) if place}
    return [ends.get(place) for place in before]


def _made_between(
    connection: sa.Connection, use_case: str, source: str, first: datetime, last: datetime
) -> list[tuple[datetime, int]]:
    """When snapshots of a source were made and their numbers, oldest first: the last before, and those between."""
    numbered = sa.select(snapshots.c.made_at, snapshots.c.sequence).where(
        snapshots.c.use_case == use_case, snapshots.c.source == source
    )
    before = numbered.where(snapshots.c.made_at < first).order_by(snapshots.c.sequence.desc()).limit(1)
    between = numbered.where(snapshots.c.made_at >= first, snapshots.c.made_at < last).order_by(snapshots.c.sequence)
    return [(at, number) for query in (before, between) for at, number in connection.execute(query)]


def _end(connection: sa.Connection, made_at: datetime, sequence: int) -> datetime | None:
    manifest = connection.execute(sa.select(snapshots.c.manifest).where(snapshots.c.sequence == sequence)).scalar_one()
    found = msgspec.convert(manifest, Snapshot)
    return made_at if found.is_static else found.known_to


def count_known(connection: sa.Connection, use_case: str) -> tuple[int, int]:
    """How many decisions have an outcome, and how many of these had been read before they were answered."""
    before = sa.func.coalesce(sa.func.sum(sa.case((outcomes.c.known_before, 1), else_=0)), 0)
    query = sa.select(sa.func.count(), before).where(outcomes.c.use_case == use_case, outcomes.c.newest)
    count, known_before = connection.execute(query).one()
    return int(count), int(known_before)


def newest(connection: sa.Connection, use_case: str) -> dict[str, JoinedOutcome]:
    """The outcome that counts, by decision."""
    query = sa.select(outcomes).where(outcomes.c.use_case == use_case, outcomes.c.newest)
    return {row["decision"]: outcome_of(row) for row in connection.execute(query).mappings()}


def newest_of(connection: sa.Connection, decided: Sequence[str]) -> dict[str, JoinedOutcome]:
    """The outcome that counts of each of these decisions; those that have none are left out."""
    found: dict[str, JoinedOutcome] = {}
    for start in range(0, len(decided), _AT_ONCE):
        some = decided[start : start + _AT_ONCE]
        query = sa.select(outcomes).where(outcomes.c.decision.in_(some), outcomes.c.newest)
        found |= {row["decision"]: outcome_of(row) for row in connection.execute(query).mappings()}
    return found


def known_answers(connection: sa.Connection, use_case: str, limit: int) -> list[Decision]:
    """The newest answers of the model whose outcome is known and that nobody has looked at."""
    query = (
        sa.select(decisions.c.content)
        .select_from(outcomes)
        .join(decisions, decisions.c.id == outcomes.c.decision)
        .outerjoin(cases, cases.c.decision == outcomes.c.decision)
        .where(
            outcomes.c.use_case == use_case,
            outcomes.c.newest,
            outcomes.c.known_before.is_(sa.false()),
            decisions.c.produced_by == "model",
            cases.c.id.is_(None),
        )
        .order_by(outcomes.c.decision.desc())
        .limit(limit)
    )
    return [decode(content) for content in connection.execute(query).scalars()]


def of_decision(connection: sa.Connection, decision: str) -> list[JoinedOutcome]:
    """All that was said of one decision, newest first."""
    query = sa.select(outcomes).where(outcomes.c.decision == decision).order_by(outcomes.c.revision.desc())
    return [outcome_of(row) for row in connection.execute(query).mappings()]


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


def outcome_of(row: Any) -> JoinedOutcome:
    """The outcome in a row."""
    return JoinedOutcome(**{name: row[name] for name in JoinedOutcome.__struct_fields__})
