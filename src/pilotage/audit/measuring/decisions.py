"""Figures of the decisions: outcomes by month, small groups, completeness of the inputs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilotage.audit.measured.decisions import DecisionFigures
from pilotage.audit.measuring.keys import measure_matches
from pilotage.audit.records import MonthBalance
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
    small = _small_groups(connection, plan)
    return DecisionFigures(
        decisions=rows,
        labelled=labelled,
        positives=positives,
        balance=_balance(connection),
        small_groups={name: groups for name, (groups, _) in small.items()},
        small_group_rows={name: n for name, (_, n) in small.items()},
        input_completeness={name: n / rows if rows else 0.0 for name, n in zip(plan.names, counts, strict=True)},
        matches=measure_matches(connection, definition),
        first=_in_utc(first),
        last=_in_utc(last),
    )


def _in_utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)


def _balance(connection: duckdb.DuckDBPyConnection) -> tuple[MonthBalance, ...]:
    rows = connection.execute(
        "SELECT strftime(moment, '%Y-%m') AS _month, count(label), count(*) FILTER (label) "
        "FROM training_set GROUP BY _month ORDER BY _month"
    ).fetchall()
    return tuple(MonthBalance(*row) for row in rows)


def _small_groups(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, tuple[int, int]]:
    """Per category sent by the app: how many of its values have fewer than 50 labelled decisions, and their rows."""
    found = {}
    for column in plan.columns:
        if isinstance(column, Given) and column.kind == "category":
            name = quoted(column.name)
            groups, rows = connection.execute(
                f"SELECT count(*), sum(_n) FROM (SELECT count(*) AS _n FROM training_set WHERE {name} IS NOT NULL "
                f"GROUP BY {name} HAVING count(label) < {SMALL_GROUP_ROWS})"
            ).fetchall()[0]
            if groups:
                found[column.name] = groups, int(rows)
    return found
