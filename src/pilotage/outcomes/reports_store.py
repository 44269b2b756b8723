"""The SQL of reported outcomes: one row per (source, id, version), whether or not its decision is known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.decisions.store import decisions
from pilotage.outcomes.records import Asked, JoinedOutcome, Report
from pilotage.outcomes.store import outcome_of, outcomes
from pilotage.platform.database import Instant, Json, metadata

reports = sa.Table(
    "outcome_reports",
    metadata,
    sa.Column("source", sa.String(80), primary_key=True),
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("decision", sa.String(40), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("happened", Json, nullable=False),
    sa.Column("known_at", Instant, nullable=False),
    sa.Column("reported_by", sa.String(40), nullable=False),
    sa.Column("reported_at", Instant, nullable=False),
    sa.Column("quarantined", sa.Boolean, nullable=False),
    sa.Index(None, "decision"),
    sa.Index(None, "use_case", "entity"),
    sa.Index(
        "ix_outcome_reports_quarantined",
        "reported_at",
        sqlite_where=sa.text("quarantined = 1"),
        postgresql_where=sa.text("quarantined"),
    ),
)

_AT_ONCE = 500


def of_events(connection: sa.Connection, events: Iterable[tuple[str, str]]) -> list[Report]:
    """All versions of these (source, id)."""
    wanted = sorted(set(events))
    found: list[Report] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = sa.tuple_(reports.c.source, reports.c.id).in_(wanted[start : start + _AT_ONCE])
        found += map(_report, connection.execute(sa.select(reports).where(some)).mappings())
    return found


def add(connection: sa.Connection, new: Sequence[Report]) -> None:
    """Add reports that are not there."""
    if new:
        connection.execute(reports.insert(), [_row(each) for each in new])


def release(connection: sa.Connection, known: Sequence[Report]) -> None:
    """The decisions of these are known now."""
    let_go = (
        reports.update()
        .where(
            reports.c.source == sa.bindparam("of_source"),
            reports.c.id == sa.bindparam("of_id"),
            reports.c.version == sa.bindparam("of_version"),
        )
        .values(quarantined=False, use_case=sa.bindparam("in_use_case"))
    )
    if known:
        named = ("source", "id", "version")
        rows = [{f"of_{name}": getattr(one, name) for name in named} | {"in_use_case": one.use_case} for one in known]
        connection.execute(let_go, rows)


def quarantined(
    connection: sa.Connection,
    limit: int,
    reported_by: str | None = None,
    of: tuple[str, Sequence[str]] | None = None,
) -> list[Report]:
    """Reports whose decision nobody knows, newest first; those of one caller, or of all.

    ``of`` is a use case and the callers that may ask it: then those that name it, or name none and are theirs.
    """
    query = sa.select(reports).where(reports.c.quarantined).order_by(reports.c.reported_at.desc()).limit(limit)
    if reported_by is not None:
        query = query.where(reports.c.reported_by == reported_by)
    if of is not None:
        query = query.where(_may_be_of(*of))
    return [_report(row) for row in connection.execute(query).mappings()]


def count_quarantined(connection: sa.Connection, use_case: str, callers: Sequence[str]) -> int:
    """How many there are of a use case."""
    query = sa.select(sa.func.count()).select_from(reports)
    return int(connection.execute(query.where(reports.c.quarantined, _may_be_of(use_case, callers))).scalar_one())


def quarantined_before(connection: sa.Connection, before: datetime, limit: int) -> list[Report]:
    """Those that were told before, so many at most, the oldest first."""
    query = sa.select(reports).where(reports.c.quarantined, reports.c.reported_at < before)
    return [_report(row) for row in connection.execute(query.order_by(reports.c.reported_at).limit(limit)).mappings()]


def remove_quarantined(connection: sa.Connection, told: Iterable[Report]) -> int:
    """Forget reports, unless one was joined meanwhile; how many."""
    removed = 0
    for each in told:
        same = (reports.c.source == each.source, reports.c.id == each.id, reports.c.version == each.version)
        removed += connection.execute(reports.delete().where(*same, reports.c.quarantined)).rowcount
    return removed


def _may_be_of(use_case: str, callers: Sequence[str]) -> sa.ColumnElement[bool]:
    nameless = sa.and_(reports.c.use_case == "", reports.c.reported_by.in_(callers))
    return sa.or_(reports.c.use_case == use_case, nameless)


def settleable(connection: sa.Connection, limit: int) -> list[Report]:
    """Quarantined reports whose decision is in the ledger by now, in no order: none keeps others waiting."""
    by_id = sa.exists().where(decisions.c.id == reports.c.decision)
    about = sa.and_(decisions.c.use_case == reports.c.use_case, decisions.c.entity == reports.c.entity)
    by_entity = sa.and_(reports.c.decision == "", sa.exists().where(about))
    query = sa.select(reports).where(reports.c.quarantined, sa.or_(by_id, by_entity))
    query = query.order_by(sa.func.random()).limit(limit)
    return [_report(row) for row in connection.execute(query).mappings()]


def decisions_of(connection: sa.Connection, told: Iterable[Report]) -> dict[str, Asked]:
    """By decision, what was asked: of all that these reports are about and that are in the ledger."""
    columns = (decisions.c.id, *(decisions.c[name] for name in Asked.__struct_fields__))
    told = list(told)
    ids = sorted({each.decision for each in told if each.decision})
    pairs = sorted({(each.use_case, each.entity) for each in told if not each.decision})
    found: dict[str, Asked] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = sa.select(*columns).where(decisions.c.id.in_(ids[start : start + _AT_ONCE]))
        found |= {row.id: Asked(*row[1:]) for row in connection.execute(query)}
    for start in range(0, len(pairs), _AT_ONCE):
        some = sa.tuple_(decisions.c.use_case, decisions.c.entity).in_(pairs[start : start + _AT_ONCE])
        found |= {row.id: Asked(*row[1:]) for row in connection.execute(sa.select(*columns).where(some))}
    return found


def about(connection: sa.Connection, decided: Mapping[str, Asked]) -> list[Report]:
    """All reports that are not quarantined about these decisions, by identifier or by entity."""
    ids, pairs = sorted(decided), sorted({(each.use_case, each.entity) for each in decided.values()})
    found: list[Report] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = reports.c.decision.in_(ids[start : start + _AT_ONCE])
        query = sa.select(reports).where(some, ~reports.c.quarantined)
        found += map(_report, connection.execute(query).mappings())
    for start in range(0, len(pairs), _AT_ONCE):
        named = sa.tuple_(reports.c.use_case, reports.c.entity).in_(pairs[start : start + _AT_ONCE])
        query = sa.select(reports).where(named, reports.c.decision == "", ~reports.c.quarantined)
        found += map(_report, connection.execute(query).mappings())
    return found


def pulled(connection: sa.Connection, decided: Iterable[str]) -> dict[str, JoinedOutcome]:
    """By decision, the newest outcome that came from a source of the use case's file, whether or not it counts."""
    wanted = sorted(decided)
    found: dict[str, JoinedOutcome] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = outcomes.c.decision.in_(wanted[start : start + _AT_ONCE])
        query = sa.select(outcomes).where(some, outcomes.c.told_by == "").order_by(outcomes.c.revision)
        found |= {row["decision"]: outcome_of(row) for row in connection.execute(query).mappings()}
    return found


def _row(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


def _report(row: Any) -> Report:
    return Report(**{name: row[name] for name in Report.__struct_fields__})
