"""The first rows of tables that nobody has described, and what they show: each column, keys, and what meets what."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from pilotage.data import sources
from pilotage.data.guessing.keys import (
    by_fitness,
    could_be_part,
    could_identify,
    could_identify_together,
    key_of,
)
from pilotage.data.guessing.records import ForeignKey, LabelGuess, Link, SeenColumn, SeenTable
from pilotage.data.records import FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.remarks import options, remarked
from pilotage.platform.engine import analytical
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ROW, SEEN_AT, Rest, Source
from pilotage.usecase.rules.expressions import to_sql

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAMPLE_ROWS = 50_000
PAIRS_MAX = 30
_COMMON = 12
_TELLING_VALUES_MAX = 50
_TELLING_ROWS_MIN = 100
_EXPECTED_MIN = 10


class Table(Struct, frozen=True):
    """A table to look at: the name it gets as a source, where it is, and what its database declares.

    ``place`` is what the file will say, ``reach`` the same with what stands behind a reference to the environment;
    ``notes`` are what else there is to know of it, ``rest`` is an endpoint in place of ``place``,
    and ``address`` what stands behind its url.
    """

    name: str
    place: dict[str, str]
    reach: dict[str, str]
    primary_key: tuple[str, ...] = ()
    accept_writer: bool = False
    foreign_keys: tuple[ForeignKey, ...] = ()
    notes: tuple[str, ...] = ()
    rest: Rest | None = None
    address: str = ""


@contextmanager
def sampling() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that keeps the first rows of all tables beside each other, on disk where they are many."""
    with tempfile.TemporaryDirectory(prefix="pilotage-") as folder, analytical(spill=Path(folder)) as engine:
        yield engine


def look_at(engine: duckdb.DuckDBPyConnection, table: Table) -> SeenTable:
    """Measure a sample of a table's rows, its first 50,000, and keep them in the engine.

    Raises:
        SourceUnavailable: it cannot be read.
    """
    asked = _asked(table, (ROW,) if "files" in table.reach else ())
    columns, rows, whole = _sampled(engine, table.name, asked)
    remarks = remarked(engine, _seen(table.name), columns) if "files" in table.reach or table.rest else ()
    decimal, missing = options(remarks)
    points = tuple(c.name for c in columns if c.engine_type == "DOUBLE") if decimal == "," else ()
    if points:  # one source has one sign, and these would change their scale
        decimal = ""
    read_so = tuple(remark.column for remark in remarks if remark.sure and (remark.decimal == decimal or not decimal))
    if decimal or missing:
        asked = replace(asked, source=replace(asked.source, decimal=decimal, missing=list(missing)))
        columns, rows, whole = _sampled(engine, table.name, asked)
        remarks = remarked(engine, _seen(table.name), columns)
    seen = tuple(_column(engine, _seen(table.name), column) for column in columns)
    found = SeenTable(
        name=table.name,
        place=table.place,
        columns=seen,
        sampled=rows,
        whole=whole,
        primary_key=table.primary_key,
        unique=tuple(_unique(engine, table.name, seen, rows)),
        accept_writer=table.accept_writer,
        foreign_keys=table.foreign_keys,
        rest=table.rest,
        decimal=decimal,
        missing=missing,
        read_so=read_so if decimal or missing else (),
        remarks=(*(remark.says for remark in remarks), *_two_signs(points)),
    )
    return _as_key_is_read(found, asked)


def _two_signs(points: tuple[str, ...]) -> Iterator[str]:
    if points:
        yield (
            f"Numbers are written with a comma in some columns and with a point in {', '.join(points)}: a source has "
            "one decimal sign, so none is declared. Export them alike."
        )


def _sampled(engine: duckdb.DuckDBPyConnection, name: str, asked: Asked) -> tuple[tuple[FoundColumn, ...], int, bool]:
    """Its columns, how many of its first rows are in the engine now, and whether these are all."""
    columns = tuple(column for column in sources.introspect(asked) if column.name != ROW)
    rows, whole = _take(engine, _seen(name), columns, sources.read(asked, columns, Span()))
    return columns, rows, whole


def measured(engine: duckdb.DuckDBPyConnection, links: Sequence[Link]) -> tuple[Link, ...]:
    """Each link with the share of its values, each counted once, that are found on the other side."""
    found = []
    for link in links:
        own, there = (
            f"SELECT DISTINCT CAST({quoted(column)} AS VARCHAR) AS value FROM {_seen(table)} "
            f"WHERE {quoted(column)} IS NOT NULL"
            for table, column in ((link.table, link.column), (link.other, link.other_column))
        )
        statement = f"SELECT count(*), count_if(value IN ({there})) FROM ({own})"
        values, met = _one(engine, statement)
        found.append(replace(link, share=met / values if values else 0.0))
    return tuple(found)


def telling(engine: duckdb.DuckDBPyConnection, table: SeenTable, label: LabelGuess) -> dict[str, str]:
    """Columns that tell the outcome: each value goes with one outcome only, or they are filled for one only.

    Such a column is the outcome in other words, or was written after it. Of few rows nothing is said.
    """
    if table.sampled < _TELLING_ROWS_MIN:
        return {}
    truth = f"({to_sql(label.truth)})"
    found = {}
    for column in table.columns:
        if column.name in label.columns:
            continue
        name = quoted(column.name)
        if 2 <= column.distinct <= min(_TELLING_VALUES_MAX, table.sampled // 20) and _tells(engine, table, name, truth):
            found[column.name] = f"each of its values goes with one outcome only ({label.truth})"
        elif column.filled < table.sampled and _tells_where_filled(engine, table, name, truth):
            found[column.name] = f"it is filled for one outcome only ({label.truth})"
    return found


def _tells(engine: duckdb.DuckDBPyConnection, table: SeenTable, name: str, truth: str) -> bool:
    mixed = (
        f"SELECT count(*) FROM (SELECT 1 FROM {_seen(table.name)} WHERE {truth} IS NOT NULL AND {name} IS NOT NULL "
        f"GROUP BY {name} HAVING count(DISTINCT {truth}) > 1)"
    )
    both = f"SELECT count(DISTINCT {truth}) FROM {_seen(table.name)} WHERE {name} IS NOT NULL"
    return bool(_one(engine, both)[0] == 2 and _one(engine, mixed)[0] == 0)


def _tells_where_filled(engine: duckdb.DuckDBPyConnection, table: SeenTable, name: str, truth: str) -> bool:
    """Filled for one outcome only, where by chance at least ten of the other would be among them."""
    rows, positive, filled, both = _one(
        engine,
        f"SELECT count({truth}), count_if({truth}), count_if({name} IS NOT NULL AND {truth} IS NOT NULL), "
        f"count_if({name} IS NOT NULL AND {truth}) FROM {_seen(table.name)}",
    )
    if not rows or both not in (0, filled):
        return False
    other = positive if both == 0 else rows - positive
    return bool(filled * other / rows >= _EXPECTED_MIN)


def _asked(table: Table, key: Sequence[str]) -> Asked:
    source = Source(
        **table.reach,  # type: ignore[arg-type]
        key=list(key),
        event_time=SEEN_AT,
        known_at=SEEN_AT,
        static=True,
        accept_writer=table.accept_writer,
        rest=replace(table.rest, url=table.address) if table.rest else None,
        timeout="1 minute" if _is_on_the_web(table) else "10 minutes",
    )
    return Asked(table.name, source, "")


def _is_on_the_web(table: Table) -> bool:
    """Where a server may be silent, a person who waits for a first draft is told so soon."""
    return table.rest is not None or table.reach.get("files", "").startswith(("http://", "https://"))


def _as_key_is_read(found: SeenTable, asked: Asked) -> SeenTable:
    """With the types that columns have once the key is declared: of files, a key is an integer or a text."""
    key = key_of(found)
    if key is None or not asked.source.files or key.value == (ROW,):
        return found
    declared = replace(asked, source=replace(asked.source, key=list(key.value)))
    types: Mapping[str, Any] = {column.name: column.type for column in sources.introspect(declared)}
    columns = tuple(replace(column, type=types.get(column.name, column.type)) for column in found.columns)
    return replace(found, columns=columns)


def _seen(name: str) -> str:
    return quoted(f"seen {name}")


def _take(
    engine: duckdb.DuckDBPyConnection, seen: str, columns: tuple[FoundColumn, ...], batches: Iterator[pa.RecordBatch]
) -> tuple[int, bool]:
    """Put the first rows into a table of their own: how many, and whether these are all."""
    import pyarrow as pa

    kept: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        kept.append(batch.slice(0, SAMPLE_ROWS - rows))
        rows += len(kept[-1])
        if rows >= SAMPLE_ROWS:
            break
    else:
        batches = iter(())
    whole = next(islice(batches, 1), None) is None
    close = getattr(batches, "close", None)
    if close is not None:
        close()
    typed = ", ".join(f"TRY_CAST({quoted(c.name)} AS {c.engine_type}) AS {quoted(c.name)}" for c in columns)
    if not kept:
        empty = ", ".join(f"CAST(NULL AS {c.engine_type}) AS {quoted(c.name)}" for c in columns)
        engine.execute(f"CREATE OR REPLACE TABLE {seen} AS SELECT {empty} WHERE false")
        return 0, True
    engine.register("incoming", pa.Table.from_batches(kept))
    engine.execute(f"CREATE OR REPLACE TABLE {seen} AS SELECT {typed} FROM incoming")
    engine.unregister("incoming")
    return rows, whole


def _column(engine: duckdb.DuckDBPyConnection, seen: str, column: FoundColumn) -> SeenColumn:
    name = quoted(column.name)
    filled, distinct = _one(engine, f"SELECT count({name}), count(DISTINCT {name}) FROM {seen}")
    common = engine.execute(
        f"SELECT CAST({name} AS VARCHAR), count(*) AS n FROM {seen} WHERE {name} IS NOT NULL "
        f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {_COMMON}"
    ).fetchall()
    found = SeenColumn(column.name, column.type, filled, distinct, tuple((value, count) for value, count in common))
    found = replace(found, fractional=column.engine_type == "DOUBLE")
    if column.type == "number" and filled:
        low, high, middle = _one(engine, f"SELECT min({name}), max({name}), median({name}) FROM {seen}")
        return replace(found, lowest=low, highest=high, middle=middle)
    if column.type == "datetime" and filled:
        first, last = _one(engine, f"SELECT min({name}), max({name}) FROM {seen}")
        return replace(found, first=as_utc(first), last=as_utc(last))
    if column.type == "text" and filled:
        longest, spaced, words = _one(
            engine,
            f"SELECT max(length({name})), bool_or(contains({name}, ' ')), "
            f"avg(length({name}) - length(replace({name}, ' ', '')) + 1) FROM {seen}",
        )
        return replace(found, longest=longest, spaced=spaced, words=words)
    return found


def _unique(
    engine: duckdb.DuckDBPyConnection, table: str, columns: tuple[SeenColumn, ...], rows: int
) -> Iterator[tuple[str, ...]]:
    """Columns, else pairs of them, that are always filled, never the same twice, and no measurements."""
    if rows < 2:
        return
    full = [column for column in columns if column.filled == rows]
    single = [c for c in full if c.distinct == rows and c.type in ("text", "number") and could_identify(c)]
    if single:
        yield from by_fitness([(c.name,) for c in single], table)
        return
    parts = [c for c in full if could_be_part(c)]
    pairs = [
        (a.name, b.name)
        for i, a in enumerate(parts)
        for b in parts[i + 1 :]
        if a.distinct * b.distinct >= rows and could_identify_together((a, b))
    ]
    for pair in by_fitness(pairs, table)[:PAIRS_MAX]:
        names = ", ".join(quoted(name) for name in pair)
        if _one(engine, f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {_seen(table)})")[0] == rows:
            yield pair


def _one(engine: duckdb.DuckDBPyConnection, statement: str) -> Any:
    return engine.execute(statement).fetchall()[0]
