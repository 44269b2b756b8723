"""Snapshots as relations in the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilotage.data.records import Snapshot
from pilotage.data.rules.marks import DELETED, KNOWN_AT, SEEN, newest_first
from pilotage.data.snapshots.stored import stored_sql
from pilotage.platform.engine import analytical
from pilotage.platform.lake import Lake
from pilotage.platform.quoting import quoted
from pilotage.usecase.rules.expressions import to_sql

if TYPE_CHECKING:
    import duckdb


@contextmanager
def engine(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """An analytical connection whose session is in UTC, in bounded memory: it spills into the lake's directory."""
    with analytical(spill=lake.spill) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def versions_sql(lake: Lake, snapshot: Snapshot) -> str:
    """All row versions of a snapshot: its columns, ``_known_at``, ``_deleted``, and ``_seen_at`` of a static source."""
    columns = [f"CAST({quoted(c.name)} AS {c.engine_type}) AS {quoted(c.name)}" for c in snapshot.columns]
    known_at = quoted(snapshot.known_at)
    if snapshot.reference is not None:
        from pilotage.data.sources.delta import relation_sql

        gone = f"coalesce(CAST(({to_sql(snapshot.deleted)}) AS BOOLEAN), false)" if snapshot.deleted else "false"
        ours = [f"CAST({known_at} AS TIMESTAMP) AS {KNOWN_AT}", f"{gone} AS {DELETED}"]
        return f"(SELECT {', '.join([*columns, *ours])} FROM {relation_sql(snapshot.reference, snapshot.columns)})"
    known = SEEN if snapshot.is_static else f"coalesce({SEEN}, CAST({known_at} AS TIMESTAMP))"
    ours = [
        f"{known} AS {KNOWN_AT}",
        f"coalesce({DELETED}, false) AS {DELETED}",
        *([SEEN] if snapshot.is_static else []),
    ]
    return f"(SELECT {', '.join([*columns, *ours])} FROM {stored_sql(lake, snapshot.segments)})"


def newest_sql(lake: Lake, snapshot: Snapshot) -> str:
    """The newest row of each key that is not deleted, as a relation."""
    key = ", ".join(quoted(column) for column in snapshot.key)
    ties = [quoted(column.name) for column in snapshot.columns]
    return (
        f"(SELECT * FROM (SELECT * FROM {versions_sql(lake, snapshot)} QUALIFY row_number() OVER "
        f"(PARTITION BY {key} ORDER BY {newest_first(ties)}) = 1) WHERE NOT {DELETED})"
    )
