"""A use case's sources as relations in the engine, and what must be measured of them before columns are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pilotage.data import snapshots
from pilotage.data.records import Snapshot
from pilotage.data.rules.marks import DELETED, KNOWN_AT, SEEN
from pilotage.data.rules.needs import needed_columns, numbers_taken_from
from pilotage.data.rules.timelines import SourceFacts, timelines
from pilotage.platform.lake import Lake
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb

_AT_ONCE = 100
"""Of a thousand figures asked for at once, the engine's plan alone takes gigabytes and most of the time."""


def loading_sql(lake: Lake, found: Snapshot, columns: Sequence[str]) -> str:
    """All versions of a source's rows as a view of its name: the columns that are needed, and ours.

    A view, because a copy in memory would hold what the files hold already.
    """
    ours = [KNOWN_AT, DELETED, *([SEEN] if found.is_static else [])]
    chosen = ", ".join(dict.fromkeys([*(quoted(column) for column in columns), *ours]))
    return f"CREATE VIEW {quoted(found.source)} AS\nSELECT {chosen} FROM {snapshots.versions_sql(lake, found)}"


def load(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    definition: Definition,
    found: Mapping[str, Snapshot],
    names: Sequence[str],
) -> None:
    """Make these sources' relations."""
    needed = needed_columns(definition)
    for name in names:
        connection.execute(loading_sql(lake, found[name], needed[name]))


def measure(connection: duckdb.DuckDBPyConnection, definition: Definition) -> dict[str, SourceFacts]:
    """Of each source that columns are taken from: is any row corrected, and how large are the numbers taken?"""
    sources = dict.fromkeys(line.source for line in timelines(definition.plan))
    return {name: _facts(connection, definition, name) for name in sources}


def with_deletions(connection: duckdb.DuckDBPyConnection, definition: Definition) -> frozenset[str]:
    """Of the sources of decisions, of outcomes and of what people decided, those with rows that delete their key."""
    use_case = definition.use_case
    names = {use_case.decision.source, use_case.outcome.source, *([use_case.human.source] if use_case.human else [])}
    statement = "SELECT 1 FROM {} WHERE {} LIMIT 1"
    return frozenset(name for name in names if connection.execute(statement.format(quoted(name), DELETED)).fetchall())


def _facts(connection: duckdb.DuckDBPyConnection, definition: Definition, name: str) -> SourceFacts:
    key = ", ".join(quoted(column) for column in definition.use_case.sources[name].key)
    again = f"SELECT 1 FROM {quoted(name)} GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
    taken = list(numbers_taken_from(definition, name))
    largest: dict[str, float] = {}
    for start in range(0, len(taken), _AT_ONCE):
        part = taken[start : start + _AT_ONCE]
        asked = [f"max(abs(CAST({quoted(c)} AS DOUBLE))) FILTER (isfinite(CAST({quoted(c)} AS DOUBLE)))" for c in part]
        row = connection.execute(f"SELECT {', '.join(asked)} FROM {quoted(name)}").fetchall()[0]
        largest |= {column: value or 0.0 for column, value in zip(part, row, strict=True)}
    return SourceFacts(corrected=bool(connection.execute(again).fetchall()), largest=largest)
