"""One source's rows in the engine: all of them, and those that are looked at for how values are distributed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilotage.data.records import FoundColumn, Snapshot
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT, Source

if TYPE_CHECKING:
    import duckdb

# A statement over thousands of columns at once holds all their states in memory, and takes long to plan.
COLUMNS_AT_ONCE = 200
# Above this many rows, distributions are taken from about a million: the error of a share is then below 0.1 %.
ROWS_LOOKED_AT_ALL = 2_000_000
ROWS_SAMPLED = 1_000_000
# A wide table is sampled so that its copy stays below a few hundred megabytes.
CELLS_MAX = 40_000_000
ROWS_SAMPLED_MIN = 2_000
SAMPLE = "_looked_at"


@dataclass(frozen=True)
class Place:
    """``whole`` and ``looked`` stand after FROM; ``looked`` has ``looked_rows`` of the ``rows``."""

    engine: duckdb.DuckDBPyConnection
    source: Source
    columns: tuple[FoundColumn, ...]
    whole: str
    looked: str
    rows: int
    looked_rows: int

    @property
    def sampled(self) -> int:
        return self.looked_rows if self.looked_rows < self.rows else 0

    @property
    def event_time(self) -> str:
        """The instant of a row as SQL, or nothing where the source has no clock of its own."""
        return self._instant(self.source.event_time)

    @property
    def known_at(self) -> str:
        return self._instant(self.source.known_at)

    @property
    def key(self) -> str:
        return ", ".join(quoted(column) for column in self.source.key)

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.engine.execute(statement).fetchall()
        return rows

    def one(self, statement: str) -> tuple[Any, ...]:
        return self.all(statement)[0]

    def _instant(self, column: str) -> str:
        there = any(found.name == column for found in self.columns)
        return instant(column) if there and column != SEEN_AT else ""


def instant(column: str) -> str:
    """A column as timestamp; null where it is none."""
    return f"TRY_CAST({quoted(column)} AS TIMESTAMP)"


def number(column: str) -> str:
    """A column as double; null where it is none."""
    return f"TRY_CAST({quoted(column)} AS DOUBLE)"


def chunks(columns: Sequence[FoundColumn]) -> Iterator[Sequence[FoundColumn]]:
    """Columns in lots that one statement can carry."""
    return (columns[at : at + COLUMNS_AT_ONCE] for at in range(0, len(columns), COLUMNS_AT_ONCE))


def whole_of(found: Snapshot) -> str:
    """What stands after FROM for all row versions of a source; rows that only say that a key is gone are left out."""
    if not any(segment.deletions for segment in found.segments):
        return quoted(found.source)
    names = ", ".join(quoted(column.name) for column in found.columns)
    return f"(SELECT {names} FROM {quoted(found.source)} WHERE _deleted IS NOT TRUE)"


def place_of(engine: duckdb.DuckDBPyConnection, source: Source, found: Snapshot) -> Place:
    """A source's rows; where they are many, those looked at are a deterministic sample in a temporary table."""
    whole = whole_of(found)
    rows = engine.execute(f"SELECT count(*) FROM {whole}").fetchall()[0][0]
    wanted = _wanted(rows, len(found.columns))
    if wanted >= rows:
        return Place(engine, source, found.columns, whole, whole, rows, rows)
    names = ", ".join(quoted(column.name) for column in found.columns)
    clocks = [c.name for c in found.columns if c.name in (source.event_time, source.known_at)]
    told_apart = ", ".join(quoted(name) for name in dict.fromkeys([*source.key, *clocks]))
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {SAMPLE} AS SELECT {names} FROM {whole} "
        f"WHERE hash({told_apart}) % {-(-rows // wanted)} = 0"
    )
    looked = engine.execute(f"SELECT count(*) FROM {SAMPLE}").fetchall()[0][0]
    return Place(engine, source, found.columns, whole, SAMPLE, rows, looked)


def _wanted(rows: int, columns: int) -> int:
    if rows <= ROWS_LOOKED_AT_ALL and rows * columns <= CELLS_MAX:
        return rows
    return min(ROWS_SAMPLED, max(ROWS_SAMPLED_MIN, CELLS_MAX // columns))
