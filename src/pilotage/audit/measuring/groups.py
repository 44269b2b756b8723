"""Representation and outcome by declared group.

A group's value is the one the decision's row had when the decision was taken; numbers are put into bands, ages into
decades.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.groups import Group, GroupColumn, GroupFigures
from pilotage.audit.rules.intervals import wilson
from pilotage.audit.rules.telling_names import hint_of
from pilotage.data.records import ColumnType
from pilotage.data.rules.keys import as_text
from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import Definition, Given

if TYPE_CHECKING:
    import duckdb

GROUPS_MAX = 20
_BANDED_FROM = 12
"""Numbers with more different values than this are put into bands."""
_VALUE_LENGTH = 80


def measure_groups(engine: duckdb.DuckDBPyConnection, definition: Definition) -> GroupFigures:
    """Figures of each column that the file names under ``groups`` and the decision's source has."""
    there = _types(engine, definition.use_case.decision.source)
    names = [name for name in dict.fromkeys(definition.use_case.groups) if name in there]
    if not names:
        return GroupFigures()
    _join(engine, definition, names, deletions="_deleted" in there)
    columns = tuple(_of_column(engine, name, there[name], f"g{number}") for number, name in enumerate(names))
    engine.execute("DROP TABLE _grouped")
    return GroupFigures(columns)


def _types(engine: duckdb.DuckDBPyConnection, relation: str) -> dict[str, ColumnType]:
    types: dict[str, ColumnType] = {"BIGINT": "number", "DOUBLE": "number", "BOOLEAN": "flag", "TIMESTAMP": "datetime"}
    described = engine.execute(f"DESCRIBE SELECT * FROM {quoted(relation)}").fetchall()
    return {row[0]: types.get(row[1], "text") for row in described}


def _join(engine: duckdb.DuckDBPyConnection, definition: Definition, names: list[str], deletions: bool) -> None:
    """Each decision with its label and groups, as its row was known at its moment: ``_grouped``."""
    request = definition.plan.request
    given = [column.name for column in definition.plan.columns if isinstance(column, Given)]
    inputs = {request[name].column or name: name for name in given}
    taken = [f"t.{quoted(inputs[name])}" if name in inputs else f"r.{quoted(name)}" for name in names]
    chosen = ", ".join(f"{column} AS g{number}" for number, column in enumerate(taken))
    select = f"CREATE OR REPLACE TEMP TABLE _grouped AS SELECT t.label AS label, {chosen} FROM training_set t"
    if set(names) <= set(inputs):
        engine.execute(select)
        return
    rows = f"{select}\n{_its_rows(definition, deletions)}"
    engine.execute(rows)
    decisions, found = engine.execute(
        "SELECT (SELECT count(*) FROM training_set), (SELECT count(*) FROM _grouped)"
    ).fetchall()[0]
    if found > decisions:  # rows were corrected: costly, and seldom needed
        engine.execute(f"{rows}\n{_newest(definition)}")


def _its_rows(definition: Definition, deletions: bool) -> str:
    """SQL that joins a decision ``t`` with the versions ``r`` of its row that were known by its moment."""
    source = definition.use_case.sources[definition.use_case.decision.source]
    return f"""LEFT JOIN {quoted(definition.use_case.decision.source)} r
    ON {as_text(f"r.{quoted(definition.plan.entity)}")} = t.entity AND r.{quoted(source.known_at)} <= t.moment
    {"AND NOT r._deleted" if deletions else ""}"""


def _newest(definition: Definition) -> str:
    source = definition.use_case.sources[definition.use_case.decision.source]
    ties = ", ".join(f"r.{quoted(name)}" for name in dict.fromkeys([source.event_time, *source.key]))
    return f"QUALIFY row_number() OVER (PARTITION BY t.entity ORDER BY r.{quoted(source.known_at)} DESC, {ties}) = 1"


def _of_column(engine: duckdb.DuckDBPyConnection, column: str, kind: ColumnType, name: str) -> GroupColumn:
    """The groups of one column, in alphabetical order of their values, the pooled rest last."""
    value = _value(engine, column, kind, name)
    rows = engine.execute(f"""WITH valued AS (SELECT {value} AS value, label FROM _grouped),
    counted AS (
      SELECT value, count(*) AS n, count(label) AS labelled, count(*) FILTER (label) AS positives
      FROM valued GROUP BY value
    ), ranked AS (
      SELECT *, value IS NULL AS missing,
             row_number() OVER (PARTITION BY value IS NULL ORDER BY n DESC, value) > {GROUPS_MAX} AS pooled FROM counted
    )
    SELECT missing, pooled, CASE WHEN pooled THEN NULL ELSE value END AS value, count(*), sum(n), sum(labelled),
           sum(positives)
    FROM ranked GROUP BY ALL ORDER BY pooled, value""").fetchall()
    total = sum(int(row[4]) for row in rows)
    groups = tuple(
        _group("other values" if pooled else str(value), total, int(n), int(labelled), int(positives), int(values))
        for missing, pooled, value, values, n, labelled, positives in rows
        if not missing
    )
    return GroupColumn(column, total, sum(int(row[4]) for row in rows if row[0]), groups)


def _group(value: str, total: int, decisions: int, labelled: int, positives: int, values: int) -> Group:
    low, high = wilson(positives, labelled) if labelled else (None, None)
    rate = positives / labelled if labelled else None
    return Group(value, decisions, decisions / total, labelled, positives, rate, low, high, values)


def _value(engine: duckdb.DuckDBPyConnection, column: str, kind: ColumnType, name: str) -> str:
    """SQL of the group's name; null where the value is missing or blank."""
    if kind == "datetime":
        decade = f"CAST(floor(year(CAST({name} AS TIMESTAMP)) / 10) * 10 AS BIGINT)"
        return f"CAST({decade} AS VARCHAR) || 's'"
    if kind == "number":
        banded = _banded(engine, column, name)
        if banded:
            return banded
    return f"nullif(trim(left(CAST({name} AS VARCHAR), {_VALUE_LENGTH})), '')"


def _banded(engine: duckdb.DuckDBPyConnection, column: str, name: str) -> str:
    """SQL of a number's band: decades of ages, else quarters of the decisions; empty where there are few values."""
    value = f"CAST({name} AS DOUBLE)"
    usable = f"CASE WHEN isfinite({value}) THEN {value} END"
    distinct, least, *cuts, most = engine.execute(
        f"SELECT count(DISTINCT v), min(v), quantile_disc(v, 0.25), quantile_disc(v, 0.5), quantile_disc(v, 0.75), "
        f"max(v) FROM (SELECT {usable} AS v FROM _grouped)"
    ).fetchall()[0]
    if distinct <= _BANDED_FROM:
        return ""
    hint = hint_of(column)
    if hint is not None and hint.kind == "age" and least >= 0 and most < 130:
        decade = f"CAST(floor({usable} / 10) * 10 AS BIGINT)"
        return f"lpad(CAST({decade} AS VARCHAR), 2, '0') || '–' || CAST({decade} + 9 AS VARCHAR)"
    starts = [least, *(cut for cut in dict.fromkeys(cuts) if least < cut < most)]
    bands = [f"{start:g} to {end:g}" for start, end in zip(starts, [*starts[1:], most], strict=True)]
    whens = " ".join(
        f"WHEN {usable} >= {start!r} THEN {literal(band)}"
        for start, band in reversed([*zip(starts, bands, strict=True)])
    )
    return f"CASE {whens} END"
