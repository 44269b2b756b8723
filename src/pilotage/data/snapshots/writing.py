"""Writing segments: sorted rows as Parquet whose bytes repeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.data.records import FoundColumn, Segment
from pilotage.data.rules.marks import DELETED, SEEN
from pilotage.data.snapshots.stored import SEGMENT, stored_sql
from pilotage.platform.lake import Lake
from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import Source

if TYPE_CHECKING:
    import duckdb


def write_segment(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    source: Source,
    columns: Sequence[FoundColumn],
    merged: Sequence[Segment],
    known_from: datetime | None,
    known_to: datetime | None,
) -> Segment:
    """Write relation ``new`` together with the segments it is merged with.

    ``known_from`` and ``known_to`` are the newest ``known_at`` of what lies before; deletions that a sync found do not
    move it.
    """
    names = [quoted(column.name) for column in columns]
    first = [quoted(source.known_at), *(quoted(key) for key in source.key)]
    every = list(dict.fromkeys([*names, DELETED, SEEN]))
    rows = f"SELECT {', '.join(every)} FROM new"
    if merged:
        older = stored_sql(lake, merged)
        there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {older}").fetchall()}
        present = [quoted(column.name) for column in columns if column.name in there]
        rows += f" UNION ALL BY NAME SELECT {', '.join(dict.fromkeys([*present, DELETED, SEEN]))} FROM {older}"
    order = ", ".join(dict.fromkeys(first if _tells_apart(connection, first, rows) else [*first, *every]))
    chosen = ", ".join(f"coalesce({DELETED}, false) AS {DELETED}" if name == DELETED else name for name in every)
    with lake.writing() as path:
        copy_sorted(connection, f"SELECT {chosen} FROM ({rows}) ORDER BY {order}", path)
        clock = quoted(source.known_at)
        found_gone = "false" if source.is_static else f"{DELETED} AND {clock} IS NOT DISTINCT FROM {SEEN}"
        found = connection.execute(
            f"SELECT count(*), max({clock}) FILTER (NOT ({found_gone})), count(*) FILTER ({DELETED}) "
            f"FROM read_parquet({literal(str(path))})"
        ).fetchall()[0]
        digest, _ = lake.keep(path, SEGMENT)
    instants = [*([found[1].replace(tzinfo=UTC)] if found[1] else []), *(s.known_to for s in merged)]
    newest = max([*instants, *([known_to] if known_to else [])])
    begins = merged[0].known_from if merged else known_from
    return Segment(digest=digest, rows=found[0], known_from=begins, known_to=newest, deletions=found[2])


def _tells_apart(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: str) -> bool:
    """Whether no two rows have the same values there: then they order all rows, and a sort need not carry the others.

    A sort by thousands of columns needs more memory than the rows themselves.
    """
    names = ", ".join(dict.fromkeys(columns))
    return not connection.execute(f"SELECT 1 FROM ({rows}) GROUP BY {names} HAVING count(*) > 1 LIMIT 1").fetchall()


def copy_sorted(connection: duckdb.DuckDBPyConnection, statement: str, path: Path) -> None:
    """Write an ordered statement's rows as Parquet with the settings that make bytes repeatable."""
    connection.execute(
        f"COPY ({statement}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
    )
