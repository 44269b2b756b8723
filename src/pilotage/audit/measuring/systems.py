"""What two systems say of the same thing, side by side."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from pilotage.audit.measured.systems import ClockOffset, SameContent, SameKey, SharedColumn, SystemsFigures
from pilotage.audit.measuring.separation import entity_of
from pilotage.audit.measuring.sources.place import whole_of
from pilotage.audit.measuring.sources.spelling import folded
from pilotage.data.guessing.words import is_bare
from pilotage.data.records import FoundColumn, Snapshot
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT, Definition, Source

if TYPE_CHECKING:
    import duckdb

# Above this many rows a part of the keys is compared, chosen by hash: the same keys on both sides.
_ROWS_MAX = 500_000
_COLUMNS_MAX = 100
# Equal within a thousandth: systems round.
_TOLERANCE = 1e-3
_CONTENT_COLUMNS_MIN = 3
_HOURS_MAX = 14


def measure_systems(
    engine: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> SystemsFigures:
    """Figures of every pair of sources that tell rows apart by the same columns, or share most of their content."""
    sources = definition.use_case.sources
    keyed, content = [], []
    for one, other in combinations(found.values(), 2):
        first, second = sources[one.source], sources[other.source]
        if set(first.key) == set(second.key) and _names_one_thing(definition, one, other):
            same = _Pair(engine, one, other, first, second).same_key()
            keyed += [same] if same else []
        else:
            equal = _Pair(engine, one, other, first, second).same_content()
            content += [equal] if equal else []
    return SystemsFigures(tuple(keyed), tuple(content))


def _names_one_thing(definition: Definition, one: Snapshot, other: Snapshot) -> bool:
    """Whether equal keys tell the same things apart: the ``id`` of two tables only where both name the case, or one
    table is read twice.
    """
    first, second = (definition.use_case.sources[each.source] for each in (one, other))
    if not all(is_bare(name) for name in first.key):
        return True
    by_case = all({entity_of(definition, each)} == set(first.key) for each in (one, other))
    return by_case or (bool(first.table) and (first.database, first.table) == (second.database, second.table))


class _Pair:
    """Two sources in the engine."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, one: Snapshot, other: Snapshot, first: Source, second: Source
    ) -> None:
        self.engine, self.one, self.other, self.first, self.second = engine, one, other, first, second
        self.part = -(-max(one.rows, other.rows, 1) // _ROWS_MAX)

    def same_key(self) -> SameKey | None:
        clocks = {self.first.event_time, self.first.known_at, self.second.event_time, self.second.known_at, SEEN_AT}
        shared = [c for c in self._shared() if c.name not in clocks and c.name not in self.first.key][:_COLUMNS_MAX]
        dates = self._dates()
        if not shared and not dates:
            return None
        key = ", ".join(quoted(name) for name in self.first.key)
        self.engine.execute(
            f"CREATE OR REPLACE TEMP TABLE _pair AS SELECT {self._selected(shared, dates)} "
            f"FROM ({self._latest(self.one, self.first)}) a "
            f"JOIN ({self._latest(self.other, self.second)}) b USING ({key})"
        )
        rows = self._one("SELECT count(*) FROM _pair")[0]
        columns = self._compared(shared) if rows else ()
        apart = tuple(self._apart(at, pair) for at, pair in enumerate(dates)) if rows else ()
        self.engine.execute("DROP TABLE _pair")
        return SameKey(self.one.source, self.other.source, rows, columns, apart, self.part > 1)

    def _shared(self) -> list[FoundColumn]:
        types = {column.name: column.type for column in self.other.columns}
        return [column for column in self.one.columns if types.get(column.name) == column.type]

    def _dates(self) -> list[tuple[str, str]]:
        """Datetimes to compare: those of the same name, and when it happened."""
        pairs = [(c.name, c.name) for c in self._shared() if c.type == "datetime" and c.name != SEEN_AT]
        clocks = (self.first.event_time, self.second.event_time)
        names = [{column.name for column in found.columns} for found in (self.one, self.other)]
        there = clocks[0] in names[0] and clocks[1] in names[1] and SEEN_AT not in clocks
        return list(dict.fromkeys([*pairs, *([clocks] if there else [])]))

    def _selected(self, shared: list[FoundColumn], dates: list[tuple[str, str]]) -> str:
        key = ", ".join(f"CAST(a.{quoted(name)} AS VARCHAR) AS k{at}" for at, name in enumerate(self.first.key))
        values = "".join(f", a.{quoted(c.name)} AS a{at}, b.{quoted(c.name)} AS b{at}" for at, c in enumerate(shared))
        apart = "".join(
            f", epoch(TRY_CAST(b.{quoted(b)} AS TIMESTAMP)) - epoch(TRY_CAST(a.{quoted(a)} AS TIMESTAMP)) AS d{at}"
            for at, (a, b) in enumerate(dates)
        )
        return f"{key}{values}{apart}"

    def _latest(self, found: Snapshot, source: Source) -> str:
        """The newest row of each key, of the keys that are compared."""
        key = ", ".join(quoted(name) for name in self.first.key)
        part = f" WHERE hash({key}) % {self.part} = 0" if self.part > 1 else ""
        names = {column.name for column in found.columns}
        newest = f"ORDER BY {quoted(source.known_at)} DESC" if source.known_at in names else ""
        columns = ", ".join(quoted(column.name) for column in found.columns)
        return (
            f"SELECT {columns} FROM {whole_of(found)}{part} QUALIFY row_number() OVER (PARTITION BY {key} {newest}) = 1"
        )

    def _compared(self, shared: list[FoundColumn]) -> tuple[SharedColumn, ...]:
        """All columns in one pass; only where some differ is looked at how."""
        if not shared:
            return ()
        both = [f"a{at} IS NOT NULL AND b{at} IS NOT NULL" for at in range(len(shared))]
        differ = [f"{both[at]} AND {_differ(at, column)}" for at, column in enumerate(shared)]
        counts = ", ".join(
            f"count(*) FILTER ({known}), count(*) FILTER ({other})" for known, other in zip(both, differ, strict=True)
        )
        row = self._one(f"SELECT {counts} FROM _pair")
        return tuple(self._column(at, c, row[2 * at], row[2 * at + 1], differ[at]) for at, c in enumerate(shared))

    def _column(self, at: int, column: FoundColumn, rows: int, others: int, differ: str) -> SharedColumn:
        if not others:
            return SharedColumn(column.name, rows, 0, 0, ())
        a, b = f"a{at}", f"b{at}"
        # To fold a text costs a hundred times as much as to compare it: only those that differ are folded.
        format_only = f"{folded(a)} = {folded(b)}" if column.type == "text" else "false"
        same = self._one(f"SELECT count(*) FILTER ({format_only}) FROM (SELECT {a}, {b} FROM _pair WHERE {differ})")[0]
        samples = self._samples(f"{differ} AND NOT ({format_only})", a, b, column.name) if others > same else ()
        return SharedColumn(column.name, rows, others, same, samples or self._samples(differ, a, b, column.name))

    def _samples(self, condition: str, a: str, b: str, name: str) -> tuple[dict[str, str], ...]:
        keys = [f"k{at}" for at in range(len(self.first.key))]
        texts = [*keys, f"left(CAST({a} AS VARCHAR), 80)", f"left(CAST({b} AS VARCHAR), 80)"]
        names = [*self.first.key, f"{self.one.source}.{name}", f"{self.other.source}.{name}"]
        rows = self.engine.execute(
            f"SELECT {', '.join(texts)} FROM _pair WHERE {condition} ORDER BY {', '.join(keys)} LIMIT 5"
        ).fetchall()
        return tuple({n: value or "" for n, value in zip(names, row, strict=True)} for row in rows)

    def _apart(self, at: int, columns: tuple[str, str]) -> ClockOffset:
        step = f"CAST(round(d{at} / 3600) AS BIGINT)"
        whole = f"abs(d{at} - 3600 * round(d{at} / 3600)) < 1 AND {step} <> 0 AND abs({step}) <= {_HOURS_MAX}"
        rows, equal = self._one(f"SELECT count(d{at}), count(*) FILTER (abs(d{at}) < 1) FROM _pair")
        if equal == rows:
            return ClockOffset(columns, rows, 0, 0, equal)
        most = self.engine.execute(
            f"SELECT {step} AS step, count(*) AS n FROM _pair WHERE {whole} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1"
        ).fetchall()
        hours, apart = most[0] if most else (0, 0)
        return ClockOffset(columns, rows, hours, apart, equal)

    def same_content(self) -> SameContent | None:
        own = {*self.first.key, *self.second.key, self.first.known_at, self.second.known_at, SEEN_AT}
        events = {self.first.event_time, self.second.event_time}
        shared = [column.name for column in self._shared() if column.name not in own - events]
        if len(shared) < _CONTENT_COLUMNS_MIN or len(events) != 1 or not events <= set(shared):
            return None
        columns = ", ".join(quoted(name) for name in shared)
        for table, found in (("_one", self.one), ("_other", self.other)):
            self.engine.execute(
                f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT h, count(*) AS n FROM "
                f"(SELECT hash({columns}) AS h FROM {whole_of(found)}) WHERE h % {self.part} = 0 GROUP BY h"
            )
        sizes = [self._one(f"SELECT COALESCE(sum(n), 0), count(*) FROM {table}") for table in ("_one", "_other")]
        smaller, larger = ("_one", "_other") if sizes[0][0] <= sizes[1][0] else ("_other", "_one")
        rows, equal = self._one(
            f"SELECT COALESCE(sum(n), 0), COALESCE(sum(n) FILTER (h IN (SELECT h FROM {larger})), 0) FROM {smaller}"
        )
        samples = self._equal_rows(columns, shared) if equal else ()
        self.engine.execute("DROP TABLE _one; DROP TABLE _other")
        unique = min((distinct / total if total else 0.0) for total, distinct in sizes)
        return SameContent(
            self.one.source, self.other.source, tuple(shared), int(rows), int(equal), unique, samples, self.part > 1
        )

    def _equal_rows(self, columns: str, shared: list[str]) -> tuple[dict[str, str], ...]:
        texts = ", ".join(f"left(CAST({quoted(name)} AS VARCHAR), 80)" for name in shared[:12])
        rows = self.engine.execute(
            f"SELECT {texts} FROM {whole_of(self.one)} WHERE hash({columns}) IN "
            f"(SELECT h FROM _one WHERE h IN (SELECT h FROM _other) ORDER BY h LIMIT 5) ORDER BY ALL LIMIT 5"
        ).fetchall()
        return tuple({n: value or "" for n, value in zip(shared, row, strict=False)} for row in rows)

    def _one(self, statement: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self.engine.execute(statement).fetchall()[0]
        return row


def _differ(at: int, column: FoundColumn) -> str:
    """SQL: whether the two values of a column are not the same."""
    a, b = f"a{at}", f"b{at}"
    if column.type == "number":
        x, y = f"TRY_CAST({a} AS DOUBLE)", f"TRY_CAST({b} AS DOUBLE)"
        return f"abs({x} - {y}) > {_TOLERANCE} * greatest(abs({x}), abs({y}))"
    if column.type == "datetime":
        return f"abs(epoch(TRY_CAST({a} AS TIMESTAMP)) - epoch(TRY_CAST({b} AS TIMESTAMP))) >= 1"
    return f"{a} <> {b}"
