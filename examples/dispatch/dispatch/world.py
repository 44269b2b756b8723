"""Everything that will ever happen, readable only as far as the clock allows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import duckdb

Kind = Literal["flights", "departures", "arrivals", "cancellations"]
Reference = Literal["airports", "airlines", "planes"]
Event = dict[str, object]

KNOWN_AT: dict[Kind, str] = {
    "flights": "published_at",
    "departures": "recorded_at",
    "arrivals": "recorded_at",
    "cancellations": "recorded_at",
}
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class World:
    """The Parquet files of one built world."""

    folder: Path

    def events(self, kind: Kind, after: datetime | None, until: datetime) -> Iterator[list[Event]]:
        """Batches of the events that became known in (after, until], in the order they became known."""
        column = KNOWN_AT[kind]
        query = f"SELECT * FROM read_parquet($path) WHERE {column} <= $until"
        bounds: dict[str, object] = {"path": str(self.path(kind)), "until": until}
        if after is not None:
            query += f" AND {column} > $after"
            bounds["after"] = after
        yield from _batches(f"{query} ORDER BY {column}, flight_id", bounds)

    def reference(self, name: Reference) -> Iterator[list[Event]]:
        """Batches of a reference table, which is known from the first day."""
        yield from _batches("SELECT * FROM read_parquet($path)", {"path": str(self.path(name))})

    def ends_at(self) -> datetime:
        """The instant the last event becomes known."""
        paths = {kind: str(self.path(kind)) for kind in KNOWN_AT}
        each = " UNION ALL ".join(f"SELECT max({KNOWN_AT[kind]}) AS last FROM read_parquet(${kind})" for kind in paths)
        with _cursor() as cursor:
            found = cursor.execute(f"SELECT max(last) FROM ({each})", paths).fetchone()
        if found is None or not isinstance(found[0], datetime):
            raise ValueError(f"the world in {self.folder} has no events")
        return found[0]

    def path(self, name: str) -> Path:
        """The Parquet file of one kind of event."""
        return self.folder / f"{name}.parquet"


def _batches(query: str, parameters: dict[str, object]) -> Iterator[list[Event]]:
    with _cursor() as cursor:
        cursor.execute(query, parameters)
        names = [column[0] for column in cursor.description or ()]
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield [dict(zip(names, row, strict=True)) for row in rows]


def _cursor() -> duckdb.DuckDBPyConnection:
    """A cursor of its own for each query, so that threads may share the engine."""
    return _reader().cursor()


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    """One engine for the process: starting one takes longer than a step of the clock."""
    return duckdb.connect()
