"""Figures on leakage: what became known only after the decision, and what orders outcomes too well.

The clocks say when a value could be known, but clocks can be wrong: a nightly job that stamps yesterday's date makes
tomorrow's values look old. So each column is also measured against the label without regard to its clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.leakage import LateColumns, LeakageFigures, Separation
from pilotage.data.records import FoundColumn, Snapshot
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Plan, Source
from pilotage.usecase.rules.expressions import columns_of

if TYPE_CHECKING:
    import duckdb

SAMPLE_ROWS = 100_000
INPUT = "inputs"

# Average ranks: a value's rank is the middle of its run of ties (Mann and Whitney, 1947).
_RANK_AUC = """
WITH grouped AS (
  SELECT {value} AS value, count(*) AS n, count(*) FILTER (_label) AS positives
  FROM {relation} WHERE _label IS NOT NULL AND {value} IS NOT NULL GROUP BY 1
), ranked AS (
  SELECT positives, n, sum(n) OVER (ORDER BY value ROWS UNBOUNDED PRECEDING) - n + (n + 1) / 2.0 AS rank FROM grouped
)
SELECT sum(positives * rank), sum(positives), sum(n) FROM ranked
"""

# Each category scored by the share of positives in the other half of the rows.
_OUT_OF_FOLD = """(
  WITH halves AS (SELECT {column} AS category, _label, _row % 2 AS half FROM {relation} WHERE _label IS NOT NULL),
  rates AS (SELECT category, 1 - half AS half, avg(CAST(_label AS INTEGER)) AS rate FROM halves GROUP BY ALL)
  SELECT _label, rate FROM halves LEFT JOIN rates USING (category, half)
)"""


def measure_leakage(
    engine: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> LeakageFigures:
    """What became known late, and what separates too well: sources with the entity, and every input."""
    draw_sample(engine)
    with_entity = sources_with_entity(definition, found)
    separations = measure_inputs(engine, definition.plan)
    for name in with_entity:
        separations += measure_separations(engine, definition, found[name])
    late = tuple(measure_late(engine, definition, found[name]) for name in with_entity)
    return LeakageFigures(late=late, separations=tuple(separations))


def sources_with_entity(definition: Definition, found: dict[str, Snapshot]) -> list[str]:
    """The sources whose rows belong to one decision each, by the entity's name."""
    entity = definition.plan.entity
    return [name for name, snapshot in found.items() if entity in {column.name for column in snapshot.columns}]


def measure_late(connection: duckdb.DuckDBPyConnection, definition: Definition, snapshot: Snapshot) -> LateColumns:
    """The share of a source's rows that became known after the decision on the same entity."""
    source = definition.use_case.sources[snapshot.source]
    entity = quoted(definition.plan.entity)
    share = connection.execute(
        f"SELECT avg(CAST(r.{quoted(source.known_at)} > s._moment AS INTEGER)) FROM spine s "
        f"JOIN {quoted(snapshot.source)} r ON CAST(r.{entity} AS VARCHAR) = s.{entity}"
    ).fetchall()[0][0]
    return LateColumns(snapshot.source, tuple(c.name for c in _judged(definition, source, snapshot)), share or 0.0)


def measure_separations(
    connection: duckdb.DuckDBPyConnection, definition: Definition, snapshot: Snapshot
) -> list[Separation]:
    """Each column of a source with the entity, against the label, its clocks ignored."""
    source = definition.use_case.sources[snapshot.source]
    entity = quoted(definition.plan.entity)
    relation = quoted("_joined_" + snapshot.source)
    connection.execute(f"""CREATE TEMP TABLE {relation} AS
    SELECT r.*, t._label, t._moment, t._row FROM _sample t JOIN {quoted(snapshot.source)} r
    ON CAST(r.{entity} AS VARCHAR) = t._entity
    QUALIFY row_number() OVER (PARTITION BY t._row ORDER BY r.{quoted(source.known_at)} DESC) = 1""")
    columns = _judged(definition, source, snapshot)
    return [_separation(connection, snapshot.source, relation, column) for column in columns]


def measure_inputs(connection: duckdb.DuckDBPyConnection, plan: Plan) -> list[Separation]:
    """Each input of the plan as the model would see it, against the label."""
    types = {"number": "number", "category": "text", "datetime": "datetime", "flag": "flag"}
    found = []
    for column in plan.columns:
        judged = FoundColumn(column.name, types[column.kind], "")  # type: ignore[arg-type]
        found.append(_separation(connection, INPUT, "_sample", judged))
    return found


def draw_sample(connection: duckdb.DuckDBPyConnection) -> None:
    """At most 100,000 labelled decisions, evenly spread over time, always the same ones: ``_sample``."""
    connection.execute(f"""CREATE TEMP TABLE _sample AS
    WITH numbered AS (
      SELECT *, row_number() OVER (ORDER BY moment, entity) - 1 AS _row, count(*) OVER () AS _rows
      FROM training_set WHERE label IS NOT NULL
    )
    SELECT * EXCLUDE (entity, moment, label, _rows), entity AS _entity, moment AS _moment, label AS _label
    FROM numbered WHERE _row % greatest(1, CAST(ceil(_rows / {SAMPLE_ROWS}.0) AS BIGINT)) = 0""")


def _judged(definition: Definition, source: Source, snapshot: Snapshot) -> list[FoundColumn]:
    """Columns that could be taken as inputs: not keys, what the app sends, or the ground truth itself."""
    use_case = definition.use_case
    left_out = {*source.key, definition.plan.entity, source.known_at, *use_case.decision.request}
    if snapshot.source == use_case.outcome.source:
        left_out |= columns_of(use_case.outcome.positive)
    return [column for column in snapshot.columns if column.name not in left_out]


def _separation(connection: duckdb.DuckDBPyConnection, source: str, relation: str, column: FoundColumn) -> Separation:
    name = quoted(column.name)
    if column.type == "text":
        scored = _OUT_OF_FOLD.format(column=name, relation=relation)
        auc, rows = _auc(connection, scored, "rate")
        return Separation(source, column.name, auc, rows)
    value = {"datetime": f"epoch({name}) - epoch(_moment)", "flag": f"CAST({name} AS INTEGER)"}.get(column.type, name)
    auc, rows = _auc(connection, relation, value)
    filled, all_rows = _auc(connection, relation, f"CAST({name} IS NOT NULL AS INTEGER)")
    return Separation(source, column.name, max(auc, filled), max(rows, all_rows))


def _auc(connection: duckdb.DuckDBPyConnection, relation: str, value: str) -> tuple[float, int]:
    """The area under the ROC curve, whichever way it points, and the rows it was measured on."""
    ranks, positives, rows = connection.execute(_RANK_AUC.format(value=value, relation=relation)).fetchall()[0]
    if not rows or not positives or positives == rows:
        return 0.5, int(rows or 0)
    auc = (float(ranks) - positives * (positives + 1) / 2) / (positives * (rows - positives))
    return float(max(auc, 1 - auc)), int(rows)
