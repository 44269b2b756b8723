"""The SQL of a use case's columns, to be read and run by people: over history, for one live row, for all keys now."""

from __future__ import annotations

from typing import Literal

from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.flow.training import script
from pilotage.data.records import Snapshot
from pilotage.data.rules.direct import (
    SPELLINGS,
    Rows,
    for_people,
    groups,
    history_query,
    live_query,
    now_query,
    table_rows,
    to_spark,
)
from pilotage.data.rules.needs import needed_columns
from pilotage.platform.errors import NotFound
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions import ExpressionError
from pilotage.usecase.rules.expressions.dialects import Dialect

Where = Literal["history", "live", "now"]
Written = Literal["duckdb", "sqlite", "postgresql", "spark"]

_HEADINGS: dict[Where, str] = {
    "history": "-- The columns as of each row of spine: _moment, and the request's columns that are keys.",
    "live": "-- The columns of one row: parameters are :moment and the request's columns that are keys.",
    "now": "-- The columns of all keys of {} as of :moment.",
}


def columns_sql(work: Workspace, definition: Definition, where: Where, dialect: Written | None = None) -> str:
    """The statement, or statements, that answer for a use case's lookups and windows.

    Over history without a dialect, it is the script that makes the training set in DuckDB. Every other form reads the
    sources' own tables, named as the file names them.

    Raises:
        NotFound: no column is looked up, or the dialect cannot do what a condition asks for.
        EvidenceMissing: a source was never synced, so that the types of its columns are not known.
    """
    if where == "history" and dialect in (None, "duckdb"):
        return script(work, definition)
    found = groups(definition.plan)
    if not found:
        raise NotFound(
            f"{definition.name} looks nothing up: its columns are the request's, and derived from it.",
            "Add an input with latest or windows, or leave --where out.",
        )
    rows = tables(definition, current_snapshots(work, definition))
    native: Dialect = "duckdb" if dialect in (None, "spark") else dialect  # type: ignore[assignment]
    spelling = SPELLINGS[native]
    try:
        if where == "history":
            parts = [(_HEADINGS[where], history_query("spine", found, rows, spelling))]
        elif where == "live":
            parts = [(_HEADINGS[where], live_query(found, rows, spelling))]
        else:
            parts = [(_HEADINGS[where].format(g.name), now_query(g, rows[g.source], spelling)) for g in found]
    except ExpressionError as error:
        raise NotFound(f"{definition.name} cannot be asked there: {error}", "Choose another --dialect.") from None
    written = to_spark if dialect == "spark" else for_people
    return "\n\n".join(f"{heading}\n{written(sql)};" for heading, sql in parts)


def tables(definition: Definition, found: dict[str, Snapshot]) -> dict[str, Rows]:
    """The sources that columns are looked up in, as tables of their own systems."""
    needed = needed_columns(definition)
    sources = definition.use_case.sources
    return {
        group.source: table_rows(
            sources[group.source].table or quoted(group.source),
            sources[group.source],
            needed[group.source],
            {column.name: column for column in found[group.source].columns},
            {},
        )
        for group in groups(definition.plan)
    }
