"""Delta tables: read, or referenced by version, since they keep their versions themselves.

What stands in the table's log counts: its files, its schema, its partitions, which lie in the names of folders. Tables
that cannot be read from their files alone are refused: deletion vectors, column mapping, and what we do not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotage.data.records import Extent, FoundColumn, Reference, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.clocks import iso_instant
from pilotage.data.sources.files.locating import UNANSWERED, open_storage, reaching, shown
from pilotage.data.sources.files.parquet import scan
from pilotage.data.sources.inferring import Column
from pilotage.data.sources.tables import Table, columns_of, engine, extent_of, failing_as, rows_of
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.quoting import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_FEATURES = {"timestampNtz", "deletionVectors", "columnMapping", "vacuumProtocolCheck", "v2Checkpoint"}
_TYPES = {
    "long": "BIGINT",
    "integer": "BIGINT",
    "short": "BIGINT",
    "byte": "BIGINT",
    "double": "DOUBLE",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "TIMESTAMP",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP",
}


def introspect(asked: Asked, address: str) -> tuple[FoundColumn, ...]:
    """The columns of the table's present schema."""
    with _opened(asked, address) as (connection, table):
        return columns_of(connection, asked, table)


def extent(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """How much the span has."""
    with _opened(asked, address) as (connection, table):
        return extent_of(connection, asked, table, columns, span)


def read(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows of the present version in the span, as Arrow batches."""
    with _opened(asked, address) as (connection, table):
        yield from rows_of(connection, asked, table, columns, span)


def reference(asked: Asked, address: str) -> Reference:
    """The present version and the absolute addresses of its files. They stay until the table is vacuumed."""
    table = _table(asked, address)
    _refuse_partitions_elsewhere(asked, address, table)
    return Reference("delta", table.version(), tuple(sorted(table.file_uris())))


def relation_sql(found: Reference, columns: Sequence[FoundColumn]) -> str:
    """SQL that can stand after FROM: the rows of a version, with these columns in their engine types.

    The session must be in UTC. Files on object storage need :func:`reach` on the connection before.
    """
    nothing = ", ".join(f"NULL AS {quoted(column.name)}" for column in columns)
    wanted = ", ".join(f"{_typed(column)} AS {quoted(column.name)}" for column in columns)
    rows = f"SELECT * FROM {scan(found.files)} UNION ALL BY NAME " if found.files else ""
    return f"(SELECT {wanted} FROM ({rows}SELECT {nothing} WHERE false))"


def reach(connection: duckdb.DuckDBPyConnection, asked: Asked, found: Reference) -> None:
    """Let a connection read a version's files where they lie on object storage; nothing to do for local ones.

    Raises:
        SourceUnavailable: the storage's library is not installed.
    """
    scheme = found.files[0].partition("://")[0] if found.files and "://" in found.files[0] else ""
    if scheme and not connection.filesystem_is_registered(scheme):
        storage = open_storage(asked, found.files[0], scheme)
        protocols = [storage.protocol] if isinstance(storage.protocol, str) else storage.protocol
        if not any(connection.filesystem_is_registered(protocol) for protocol in protocols):
            connection.register_filesystem(storage)


@contextmanager
def _opened(asked: Asked, address: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Table]]:
    found = reference(asked, address)
    fields = [(field.name, _engine_type(field.type)) for field in _table(asked, address, found.version).schema().fields]
    columns = [FoundColumn(name, "text", engine_type) for name, engine_type in fields]
    columns = [FoundColumn(c.name, "datetime", c.engine_type) if c.engine_type == "TIMESTAMP" else c for c in columns]
    with engine(asked) as connection, reaching(asked, address), failing_as(asked, {}):
        reach(connection, asked, found)
        table = Table(relation_sql(found, columns), tuple(Column(name, engine_type) for name, engine_type in fields))
        yield connection, table


def _table(asked: Asked, address: str, version: int | None = None) -> Any:
    """The table, opened.

    Raises:
        SourceUnavailable: it is not there, cannot be reached, or cannot be read from its files alone.
    """
    try:
        import deltalake
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise asked.failure(
            f"Source {asked.name}: Delta tables need a library that is not installed.", "pip install 'pilotage[delta]'."
        ) from None
    local = "://" not in address or address.startswith("file://")
    place = str(Path(address.removeprefix("file://")).resolve()) if local else address
    try:
        table = deltalake.DeltaTable(place, version=version, storage_options=None if local else _options())
        _refuse(asked, address, table)
    except (DeltaError, OSError, ValueError) as error:
        raise _said(asked, address, str(error)) from None
    return table


def _said(asked: Asked, address: str, reason: str) -> SourceUnavailable:
    lines = reason.strip().splitlines() or ["it cannot be opened"]
    if "feature" in lines[0].lower() and "nsupported" in lines[0]:
        return asked.failure(
            f"Source {asked.name}: the Delta table at {shown(address)} needs what cannot be read: {lines[0]}.",
            "Drop the feature from the table, or copy it: CREATE TABLE … AS SELECT.",
        )
    absent = "not a delta table" in reason.lower() or "no files in log" in reason.lower()
    cause = "no Delta table is there" if absent else lines[0][:200]
    said = asked.unreachable if not absent and "://" in address and UNANSWERED.search(reason) else asked.failure
    return said(
        f"Source {asked.name}: the Delta table at {shown(address)} cannot be read: {cause}.",
        "Correct `delta`: the folder that holds _delta_log; check the credentials (AWS_*) of object storage.",
    )


def _refuse(asked: Asked, address: str, table: Any) -> None:
    protocol, configuration = table.protocol(), table.metadata().configuration
    features = set(protocol.reader_features or ())
    named = f"Source {asked.name}: the Delta table at {shown(address)}"
    if configuration.get("delta.columnMapping.mode", "none") != "none":
        raise asked.failure(
            f"{named} maps its columns to other names in its files.",
            "Copy it without delta.columnMapping.mode: CREATE TABLE … AS SELECT.",
        )
    if unknown := sorted(features - _FEATURES):
        raise asked.failure(
            f"{named} needs reader features that are not known: {', '.join(unknown)}.",
            "Drop them from the table, or copy it: CREATE TABLE … AS SELECT.",
        )
    if "deletionVectors" in features and _has_deletion_vectors(table):
        raise asked.failure(
            f"{named} has deletion vectors: its files hold rows that are deleted.",
            "Purge them: REORG TABLE … APPLY (PURGE), or set delta.enableDeletionVectors = false before.",
        )


def _has_deletion_vectors(table: Any) -> bool:
    """Whether any file has one. One that cannot be read is one."""
    from deltalake.exceptions import DeltaError

    try:
        return any(batch.num_rows for batch in table.deletion_vectors())
    except (DeltaError, OSError, ValueError):
        return True


def _refuse_partitions_elsewhere(asked: Asked, address: str, table: Any) -> None:
    partitions = table.metadata().partition_columns
    for place in table.file_uris():
        if not all(f"/{name}=" in place for name in partitions):
            raise asked.failure(
                f"Source {asked.name}: files of the Delta table at {shown(address)} do not lie in folders that name "
                f"their partition ({', '.join(partitions)}).",
                "Copy it: CREATE TABLE … AS SELECT.",
            )


def _options() -> dict[str, str]:
    """Storage options: short waits, and plain HTTP only to the endpoint that the environment names so."""
    options = {"connect_timeout": "10s", "timeout": "60s", "max_retries": "3", "retry_timeout": "30s"}
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        options["AWS_ENDPOINT_URL"] = endpoint
    if endpoint.startswith("http://"):
        options["AWS_ALLOW_HTTP"] = "true"
    return options


def _engine_type(declared: Any) -> str:
    name = str(getattr(declared, "type", "text"))
    if name.startswith("decimal("):
        digits, scale = (int(part) for part in name[8:-1].split(","))
        return "BIGINT" if scale == 0 and digits <= 18 else "DOUBLE" if scale else "VARCHAR"
    return _TYPES.get(name, "VARCHAR")


def _typed(column: FoundColumn) -> str:
    name = quoted(column.name)
    return iso_instant(name) if column.engine_type == "TIMESTAMP" else f"CAST({name} AS {column.engine_type})"
