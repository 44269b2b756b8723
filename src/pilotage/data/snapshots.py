"""Snapshots in the lake: immutable Parquet segments and the manifest that names them.

A segment's rows are sorted by ``known_at``, key and the remaining columns and written by one writer with fixed
settings: the same rows make the same bytes, hence the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pilotage.data.records import FoundColumn, Segment, Snapshot
from pilotage.platform.engine import analytical
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.lake import Lake, sha256_of
from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import Source

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SEGMENT = ".parquet"
MANIFEST = ".json"


@contextmanager
def engine(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """An analytical connection whose session is in UTC, and which spills into the lake's directory."""
    with analytical(spill=lake.root / ".spill") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def make_snapshot(
    lake: Lake, name: str, source: Source, columns: Sequence[FoundColumn], segments: Sequence[Segment]
) -> Snapshot:
    """A snapshot whose version is the digest of its manifest, which is kept in the lake."""
    unnamed = Snapshot(
        source=name,
        version="",
        key=tuple(source.key),
        known_at=source.known_at,
        columns=tuple(columns),
        segments=tuple(segments),
        declared=declared(source),
    )
    version = lake.put(msgspec.json.encode(unnamed, order="deterministic"), MANIFEST)
    return msgspec.structs.replace(unnamed, version=version)


def declared(source: Source) -> str:
    """The digest of a source as the file declares it. Rows of another declaration are not this source's.

    It is taken of the references (``env:NAME``), never of what they stand for: an address may change its password.
    """
    said = (source.database, source.table, source.files, source.key, source.known_at)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def read_snapshot(lake: Lake, version: str) -> Snapshot:
    """The snapshot of this version."""
    manifest = msgspec.json.decode(lake.read(version, MANIFEST), type=Snapshot)
    return msgspec.structs.replace(manifest, version=version)


def check_segments(lake: Lake, snapshot: Snapshot) -> None:
    """Every segment is there and has the bytes that its manifest names.

    Raises:
        NotFound: a segment is gone.
        CorruptArtefact: a segment's bytes are others.
    """
    for segment in snapshot.segments:
        path = lake.path(segment.digest, SEGMENT)
        if not path.exists():
            raise NotFound(f"A segment of {snapshot.source} is not in the lake.", f"It was expected at {path}.")
        if sha256_of(path) != segment.digest:
            raise CorruptArtefact(f"{path} was changed after it was written.", "Restore it from a backup.")


def versions_sql(lake: Lake, snapshot: Snapshot) -> str:
    """All row versions of a snapshot, as a relation."""
    columns = ", ".join(f"CAST({quoted(c.name)} AS {c.engine_type}) AS {quoted(c.name)}" for c in snapshot.columns)
    return f"(SELECT {columns} FROM {_files(lake, snapshot.segments)})"


def newest_sql(lake: Lake, snapshot: Snapshot) -> str:
    """The newest row of each key, as a relation."""
    key = ", ".join(quoted(column) for column in snapshot.key)
    ties = ", ".join(quoted(column.name) for column in snapshot.columns)
    return (
        f"(SELECT * FROM {versions_sql(lake, snapshot)} QUALIFY row_number() OVER "
        f"(PARTITION BY {key} ORDER BY {quoted(snapshot.known_at)} DESC, {ties}) = 1)"
    )


def stage(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    source: Source,
    columns: Sequence[FoundColumn],
    batches: Iterable[pa.RecordBatch],
    known: Sequence[Segment],
    after: datetime | None,
    until: datetime,
) -> int:
    """Put rows that are new into table ``new``; how many there are.

    ``after`` lies a little before the end of the ``known`` segments, for rows that were committed late; those that are
    in the segments already, by key and ``known_at``, are left out.
    """
    import pyarrow as pa

    batches = iter(batches)
    first = next(batches, None)
    typed = ", ".join(f"{_typed(column)} AS {quoted(column.name)}" for column in columns)
    if first is None:
        empty = ", ".join(f"CAST(NULL AS {column.engine_type}) AS {quoted(column.name)}" for column in columns)
        connection.execute(f"CREATE TABLE new AS SELECT {empty} WHERE false")
        return 0

    def every() -> Iterable[pa.RecordBatch]:
        yield first
        yield from batches

    connection.register("incoming", pa.RecordBatchReader.from_batches(first.schema, every()))
    known_at = quoted(source.known_at)
    bounds = f"{known_at} <= $until" + (f" AND {known_at} >= $after" if after else "")
    connection.execute("CREATE TABLE incoming_rows AS SELECT * FROM incoming")
    connection.unregister("incoming")
    given = {"until": until.astimezone(UTC).replace(tzinfo=None)}
    given |= {"after": after.astimezone(UTC).replace(tzinfo=None)} if after else {}
    anti = ""
    if known and after:
        same = ", ".join(dict.fromkeys([*(quoted(key) for key in source.key), known_at]))
        anti = f" ANTI JOIN (SELECT {same} FROM {_files(lake, known)} WHERE {known_at} >= $after) USING ({same})"
    connection.execute(
        f"CREATE TABLE new AS SELECT * FROM (SELECT {typed} FROM incoming_rows){anti} WHERE {bounds}", given
    )
    connection.execute("DROP TABLE incoming_rows")
    count = connection.execute("SELECT count(*) FROM new").fetchall()[0]
    return int(count[0])


def write_segment(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    source: Source,
    columns: Sequence[FoundColumn],
    merged: Sequence[Segment],
    after: datetime | None,
) -> Segment:
    """Write table ``new`` together with the segments it is merged with."""
    names = [quoted(column.name) for column in columns]
    order = ", ".join(dict.fromkeys([quoted(source.known_at), *(quoted(key) for key in source.key), *names]))
    rows = f"SELECT {', '.join(names)} FROM new"
    if merged:
        older = _files(lake, merged)
        rows += f" UNION ALL BY NAME SELECT {', '.join(_present(connection, older, columns))} FROM {older}"
    with lake.writing() as path:
        copy_sorted(connection, f"SELECT {', '.join(names)} FROM ({rows}) ORDER BY {order}", path)
        found = connection.execute(
            f"SELECT count(*), max({quoted(source.known_at)}) FROM read_parquet({literal(str(path))})"
        ).fetchall()[0]
        digest, _ = lake.keep(path, SEGMENT)
    known_to = max([found[1].replace(tzinfo=UTC), *(segment.known_to for segment in merged)])
    known_from = merged[0].known_from if merged else after
    return Segment(digest=digest, rows=found[0], known_from=known_from, known_to=known_to)


def copy_sorted(connection: duckdb.DuckDBPyConnection, statement: str, path: Path) -> None:
    """Write an ordered statement's rows as Parquet with the settings that make bytes repeatable."""
    connection.execute(
        f"COPY ({statement}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
    )


def _typed(column: FoundColumn) -> str:
    """An instant without zone is UTC, because the engine's session is."""
    name = quoted(column.name)
    if column.type == "datetime":
        return f"CAST({name} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    return f"CAST({name} AS {column.engine_type})"


def _present(connection: duckdb.DuckDBPyConnection, files: str, columns: Sequence[FoundColumn]) -> list[str]:
    there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()}
    return [quoted(column.name) for column in columns if column.name in there]


def _files(lake: Lake, segments: Sequence[Segment]) -> str:
    paths = ", ".join(literal(str(lake.path(segment.digest, SEGMENT))) for segment in segments)
    return f"read_parquet([{paths}], union_by_name = true)"
