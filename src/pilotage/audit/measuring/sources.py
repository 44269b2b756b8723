"""Figures of one source: how complete, how current, how often duplicated, with which gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date
from itertools import pairwise
from typing import TYPE_CHECKING

from pilotage.audit.measured.sources import SourceFigures
from pilotage.data.records import Snapshot
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Source

if TYPE_CHECKING:
    import duckdb

_SPELLINGS_MAX = 2000


def measure_source(connection: duckdb.DuckDBPyConnection, source: Source, found: Snapshot) -> SourceFigures:
    """Figures of the relation that carries the source's name and holds all its row versions."""
    place = quoted(found.source)
    rows, late, *filled = connection.execute(_profile(source, found, place)).fetchall()[0]
    key = ", ".join(quoted(column) for column in source.key)
    keys = connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {place})").fetchall()[0][0]
    exact = 0
    if keys < rows:
        exact = rows - connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {place})").fetchall()[0][0]
    without, longest = _gaps(connection, place, source.event_time)
    return SourceFigures(
        source=found.source,
        columns=found.columns,
        rows=rows,
        keys=keys,
        exact_duplicates=exact,
        known_to=found.known_to.astimezone(UTC) if found.known_to else None,
        completeness={c.name: n / rows if rows else 0.0 for c, n in zip(found.columns, filled, strict=True)},
        lateness_seconds=late or 0.0,
        days_without_rows=without,
        longest_gap_days=longest,
        spellings=_spellings(connection, found, place),
    )


def _profile(source: Source, found: Snapshot, place: str) -> str:
    late = f"quantile_disc(epoch({quoted(source.known_at)}) - epoch({quoted(source.event_time)}), 0.95)"
    counts = ", ".join(f"count({quoted(column.name)})" for column in found.columns)
    return f"SELECT count(*), {late}, {counts} FROM {place}"


def _gaps(connection: duckdb.DuckDBPyConnection, place: str, event_time: str) -> tuple[int, int]:
    """Days without any row between the first and the last, and the longest run of such days."""
    day = f"CAST({quoted(event_time)} AS DATE)"
    statement = f"SELECT DISTINCT {day} AS day FROM {place} WHERE {day} IS NOT NULL ORDER BY day"
    return gaps([row[0] for row in connection.execute(statement).fetchall()])


def gaps(days: Sequence[date]) -> tuple[int, int]:
    """How many days are missing from an ascending list, and how many in the longest run."""
    missing = [(later - earlier).days - 1 for earlier, later in pairwise(days)]
    return sum(missing), max(missing, default=0)


def _spellings(connection: duckdb.DuckDBPyConnection, found: Snapshot, place: str) -> dict[str, tuple[str, ...]]:
    """Text columns in which one category is written in several ways: different case, or blanks around it."""
    several = {}
    for column in found.columns:
        if column.type != "text":
            continue
        name = quoted(column.name)
        distinct = connection.execute(f"SELECT approx_count_distinct({name}) FROM {place}").fetchall()[0][0]
        if distinct > _SPELLINGS_MAX:
            continue
        statement = f"""SELECT list(value ORDER BY value) FROM (SELECT DISTINCT {name} AS value FROM {place})
        WHERE value IS NOT NULL GROUP BY lower(trim(value)) HAVING count(*) > 1 ORDER BY 1 LIMIT 3"""
        clusters = connection.execute(statement).fetchall()
        if clusters:
            several[column.name] = tuple(" = ".join(repr(value) for value in cluster[0][:4]) for cluster in clusters)
    return several
