"""A first project from data nobody has described: look at every table, guess, and write the file that says so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pilotage.data import sources
from pilotage.data.guessing.keys import by_fitness
from pilotage.data.guessing.labels import labels_of
from pilotage.data.guessing.project import Project, proposed
from pilotage.data.guessing.records import SeenColumn, SeenTable
from pilotage.data.guessing.writing import text_of
from pilotage.data.records import FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.engine import analytical
from pilotage.platform.errors import Conflict, InvalidFile, SourceUnavailable
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Source

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAMPLE_ROWS = 50_000
PAIRS_MAX = 30
_COMMON = 12


class Table(Struct, frozen=True):
    """A table to look at: the name it gets as a source, where it is, and what its database declares."""

    name: str
    place: dict[str, str]
    primary_key: tuple[str, ...] = ()
    parents: dict[str, str] = {}


class Draft(Struct, frozen=True):
    """A project that was guessed, its file's text, and the tables that could not be looked at."""

    project: Project
    text: str
    failures: tuple[SourceUnavailable, ...]


def draft(name: str, tables: tuple[Table, ...]) -> Draft:
    """Look at the tables and guess a project.

    Raises:
        NotFound: no table has both rows and a key.
        SourceUnavailable: none could be looked at.
    """
    seen, failures = [], []
    for table in tables:
        try:
            seen.append(look_at(table))
        except SourceUnavailable as failure:
            failures.append(failure)
    if failures and not seen:
        raise failures[0]
    project = proposed(name, tuple(seen), labels_of(tuple(seen)))
    text = text_of(project)
    try:
        parse_definition(text, f"{name}.yaml")
    except InvalidFile as error:  # a guess of ours does not fit: a defect, which must name what it is
        raise AssertionError(f"the guessed file has mistakes: {[str(problem) for problem in error.problems]}") from None
    return Draft(project, text, tuple(failures))


def write(drafted: Draft, folder: Path) -> Path:
    """Write the file; nothing that is there already is touched.

    Raises:
        Conflict: a file of this name is there.
    """
    path = folder / f"{drafted.project.name}.yaml"
    if path.exists():
        raise Conflict(f"{path} is there already.", "Give another --name or --to, or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(drafted.text, encoding="utf-8")
    return path


def look_at(table: Table) -> SeenTable:
    """Measure a sample of a table's rows: its first 50,000.

    Raises:
        SourceUnavailable: it cannot be read.
    """
    source = Source(**table.place, key=["?"], static=True, accept_writer=True)  # type: ignore[arg-type]
    asked = Asked(table.name, source, "whoever runs this")
    columns = sources.introspect(asked)
    with analytical() as engine:
        rows, whole = _take(engine, columns, sources.read(asked, columns, Span()))
        seen = tuple(_column(engine, column, rows) for column in columns)
        return SeenTable(
            name=table.name,
            place=table.place,
            columns=seen,
            sampled=rows,
            whole=whole,
            primary_key=table.primary_key,
            unique=tuple(_unique(engine, table.name, seen, rows)),
            parents=table.parents,
        )


def _take(
    engine: duckdb.DuckDBPyConnection, columns: tuple[FoundColumn, ...], batches: Iterator[pa.RecordBatch]
) -> tuple[int, bool]:
    """Put the first rows into table ``seen``: how many, and whether these are all."""
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
        engine.execute(f"CREATE TABLE seen AS SELECT {empty} WHERE false")
        return 0, True
    engine.register("incoming", pa.Table.from_batches(kept))
    engine.execute(f"CREATE TABLE seen AS SELECT {typed} FROM incoming")
    return rows, whole


def _column(engine: duckdb.DuckDBPyConnection, column: FoundColumn, rows: int) -> SeenColumn:
    name = quoted(column.name)
    filled, distinct = _one(engine, f"SELECT count({name}), count(DISTINCT {name}) FROM seen")
    common = engine.execute(
        f"SELECT CAST({name} AS VARCHAR), count(*) AS n FROM seen WHERE {name} IS NOT NULL "
        f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {_COMMON}"
    ).fetchall()
    found = SeenColumn(column.name, column.type, filled, distinct, tuple((value, count) for value, count in common))
    if column.type == "number" and filled:
        low, high, middle = _one(engine, f"SELECT min({name}), max({name}), median({name}) FROM seen")
        return SeenColumn(column.name, column.type, filled, distinct, found.common, low, high, middle)
    if column.type == "datetime" and filled:
        first, last = _one(engine, f"SELECT min({name}), max({name}) FROM seen")
        return SeenColumn(
            column.name, column.type, filled, distinct, found.common, first=as_utc(first), last=as_utc(last)
        )
    return found


def _unique(
    engine: duckdb.DuckDBPyConnection, table: str, columns: tuple[SeenColumn, ...], rows: int
) -> Iterator[tuple[str, ...]]:
    """Columns, else pairs of them, that are always filled and never the same twice."""
    if rows < 2:
        return
    full = [column for column in columns if column.filled == rows]
    single = [(c.name,) for c in full if c.distinct == rows and c.type in ("text", "number")]
    if single:
        yield from by_fitness(single, table)
        return
    parts = [c for c in full if c.type != "flag" and c.distinct > 1]
    pairs = [(a.name, b.name) for i, a in enumerate(parts) for b in parts[i + 1 :] if a.distinct * b.distinct >= rows]
    good = []
    for pair in by_fitness(pairs, table)[:PAIRS_MAX]:
        names = ", ".join(quoted(name) for name in pair)
        if _one(engine, f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM seen)")[0] == rows:
            good.append(pair)
    yield from good


def _one(engine: duckdb.DuckDBPyConnection, statement: str) -> Any:
    return engine.execute(statement).fetchall()[0]
