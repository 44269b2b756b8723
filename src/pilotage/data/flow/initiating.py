"""A first project from data nobody has described: look at every table, guess, and write the file that says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pilotage.data import sources
from pilotage.data.guessing.keys import by_fitness
from pilotage.data.guessing.labels import labels_of
from pilotage.data.guessing.project import Project, proposed
from pilotage.data.guessing.records import SeenColumn, SeenTable
from pilotage.data.guessing.words import in_ascii, words
from pilotage.data.guessing.writing import text_of
from pilotage.data.records import FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.engine import analytical
from pilotage.platform.errors import Conflict, InvalidFile, NotFound, SourceUnavailable
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import ROW, SEEN_AT, Source

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAMPLE_ROWS = 50_000
PAIRS_MAX = 30
_COMMON = 12
_FILE_SCHEMES = ("s3://", "gs://", "az://", "abfs://", "file://", "memory://", "http://", "https://")


class Table(Struct, frozen=True):
    """A table to look at: the name it gets as a source, where it is, and what its database declares.

    ``place`` is what the file will say, ``reach`` the same with what stands behind a reference to the environment.
    """

    name: str
    place: dict[str, str]
    reach: dict[str, str]
    primary_key: tuple[str, ...] = ()
    accept_writer: bool = False


class Draft(Struct, frozen=True):
    """A project that was guessed, its file's text, and the tables that could not be looked at."""

    project: Project
    text: str
    failures: tuple[SourceUnavailable, ...]


def tables_at(address: str, reference: str, accept_writer: bool = False) -> tuple[Table, ...]:
    """Every table of a database, or of a folder, file or prefix on object storage.

    ``reference`` is what the file says in place of the address; the two are the same where it holds no secret.

    Raises:
        SourceUnavailable: it cannot be reached, or the user could write and that was not accepted.
        NotFound: nothing there can be read.
    """
    if "://" in address and not address.startswith(_FILE_SCHEMES):
        return tuple(_of_database(address, reference, accept_writer))
    from pilotage.data.sources.files.describing import describe

    found = []
    for one in describe(address):
        place = reference + one.address.removeprefix(address) if reference != address else one.address
        found.append(Table(one.name, {one.kind: place}, {one.kind: one.address}))
    return tuple(found)


def _of_database(address: str, reference: str, accept_writer: bool) -> Iterator[Table]:
    from pilotage.data.sources.databases.catalogue import catalogue

    taken: set[str] = set()
    for table in catalogue(address, accept_writer):
        if table.columns:
            yield Table(
                name=_source_name(table.name, taken),
                place={"database": reference, "table": table.named},
                reach={"database": address, "table": table.named},
                primary_key=table.primary_key or (table.unique[0] if table.unique else ()),
                accept_writer=accept_writer,
            )


def _source_name(table: str, taken: set[str]) -> str:
    plain = "_".join(words(in_ascii(table)))[:56] or "rows"
    name = base = plain if plain[0].isalpha() else f"t_{plain}"
    number = 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def chosen(tables: tuple[Table, ...], names: Sequence[str]) -> tuple[Table, ...]:
    """The tables of these names, all when there are none.

    Raises:
        NotFound: there is no table of such a name.
    """
    known = {table.name: table for table in tables} | {table.place.get("table", ""): table for table in tables}
    for name in names:
        if name not in known:
            raise NotFound(f"There is no table {name}.", f"There are: {', '.join(table.name for table in tables)}.")
    return tuple(known[name] for name in names) or tables


def draft(name: str, tables: tuple[Table, ...]) -> Draft:
    """Look at the tables and guess a project.

    Raises:
        NotFound: there is no table, or none has both rows and a key.
        SourceUnavailable: none could be looked at.
    """
    if not tables:
        raise NotFound(
            "No table can be seen there.", "Check the address, and that its user may read the tables (GRANT SELECT)."
        )
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
    source = Source(
        **table.reach,  # type: ignore[arg-type]
        key=[ROW] if "files" in table.reach else [],
        event_time=SEEN_AT,
        known_at=SEEN_AT,
        static=True,
        accept_writer=table.accept_writer,
    )
    asked = Asked(table.name, source, "whoever runs this")
    columns = tuple(column for column in sources.introspect(asked) if column.name != ROW)
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
            accept_writer=table.accept_writer,
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
