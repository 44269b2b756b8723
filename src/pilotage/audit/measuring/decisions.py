"""Figures of the decisions: outcomes by month, small groups, completeness of the inputs, keys that match."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilotage.audit.measured.decisions import DecisionFigures, KeyMatch
from pilotage.audit.records import MonthBalance
from pilotage.data.rules.timelines import cast, timelines
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Given, Plan

if TYPE_CHECKING:
    import duckdb

SMALL_GROUP_ROWS = 50


def measure_decisions(connection: duckdb.DuckDBPyConnection, definition: Definition) -> DecisionFigures:
    """Figures of the relations ``spine`` and ``training_set``."""
    plan = definition.plan
    filled = "".join(f", count({quoted(name)})" for name in plan.names)
    rows, labelled, positives, first, last, *counts = connection.execute(
        f"SELECT count(*), count(label), count(*) FILTER (label), min(moment), max(moment){filled} FROM training_set"
    ).fetchall()[0]
    return DecisionFigures(
        decisions=rows,
        labelled=labelled,
        positives=positives,
        balance=_balance(connection),
        small_groups=_small_groups(connection, plan),
        input_completeness={name: n / rows if rows else 0.0 for name, n in zip(plan.names, counts, strict=True)},
        matches=measure_matches(connection, definition),
        first=_in_utc(first),
        last=_in_utc(last),
    )


def _in_utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)


def _balance(connection: duckdb.DuckDBPyConnection) -> tuple[MonthBalance, ...]:
    rows = connection.execute(
        "SELECT strftime(moment, '%Y-%m') AS month, count(label), count(*) FILTER (label) "
        "FROM training_set GROUP BY month ORDER BY month"
    ).fetchall()
    return tuple(MonthBalance(*row) for row in rows)


def _small_groups(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, int]:
    """Per category sent by the app: how many of its values have fewer than 50 labelled decisions."""
    found = {}
    for column in plan.columns:
        if isinstance(column, Given) and column.kind == "category":
            name = quoted(column.name)
            small = connection.execute(
                f"SELECT count(*) FROM (SELECT {name} FROM training_set WHERE {name} IS NOT NULL "
                f"GROUP BY {name} HAVING count(label) < {SMALL_GROUP_ROWS})"
            ).fetchall()[0][0]
            if small:
                found[column.name] = small
    return found


def measure_matches(connection: duckdb.DuckDBPyConnection, definition: Definition) -> tuple[KeyMatch, ...]:
    """For each key by which a source is looked up: the share of decisions that have it and find any row under it."""
    found: dict[tuple[str, tuple[str, ...]], KeyMatch] = {}
    for line in timelines(definition.plan):
        if (line.source, line.by) in found:
            continue
        pairs = zip(line.by, line.kinds, strict=True)
        keys = ", ".join(f"{cast(quoted(by), kind)} AS {quoted(by)}" for by, kind in pairs)
        names = ", ".join(quoted(by) for by in line.by)
        matched = connection.execute(
            f"SELECT count(*) FROM spine SEMI JOIN (SELECT DISTINCT {keys} FROM {quoted(line.source)}) USING ({names})"
        ).fetchall()[0][0]
        total = connection.execute("SELECT count(*) FROM spine").fetchall()[0][0]
        found[line.source, line.by] = KeyMatch(line.source, line.by, matched / total if total else 0.0)
    return tuple(found.values())
