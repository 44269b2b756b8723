"""Dates of the request and of inputs against the moment of the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.leakage import LaterDates
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Latest
from pilotage.usecase.rules.expressions import columns_of

if TYPE_CHECKING:
    import duckdb

SAMPLES = 5


def measure_later_dates(connection: duckdb.DuckDBPyConnection, definition: Definition) -> tuple[LaterDates, ...]:
    """How many lie after the moment; those that the moment itself is made of are plans, and left out."""
    plan = definition.plan
    own = columns_of(plan.moment) if plan.moment else set()
    sent = [name for name, column in plan.request.items() if column.kind == "datetime" and name not in own]
    taken = [column.name for column in plan.columns if isinstance(column, Latest) and column.kind == "datetime"]
    return (
        *_measured(connection, "spine", quoted(plan.entity), "_moment", sent),
        *_measured(connection, "training_set", "entity", "moment", taken),
    )


def _measured(
    connection: duckdb.DuckDBPyConnection, relation: str, entity: str, moment: str, names: list[str]
) -> list[LaterDates]:
    if not names:
        return []
    at = {name: f"TRY_CAST({quoted(name)} AS TIMESTAMP)" for name in names}
    counts = ", ".join(f"count({sql}), count(*) FILTER ({sql} > {moment})" for sql in at.values())
    row = connection.execute(f"SELECT {counts} FROM {relation}").fetchall()[0]
    found = []
    for number, (name, sql) in enumerate(at.items()):
        known, after = row[2 * number : 2 * number + 2]
        if after:
            samples = connection.execute(
                f"SELECT left(CAST({entity} AS VARCHAR), 80), CAST({moment} AS VARCHAR), CAST({sql} AS VARCHAR) "
                f"FROM {relation} WHERE {sql} > {moment} ORDER BY 1 LIMIT {SAMPLES}"
            ).fetchall()
            found.append(
                LaterDates(name, known, after, tuple({"entity": e, "moment": m, name: d} for e, m, d in samples))
            )
    return found
