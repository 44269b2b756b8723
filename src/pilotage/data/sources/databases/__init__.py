"""Tables and views in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from pilotage.data.records import ColumnType, Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked, NoSuchTable, nearest
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 50_000
_CONNECT_SECONDS = 5


def introspect(asked: Asked, address: str) -> tuple[FoundColumn, ...]:
    """The columns of the table or view. In SQLite a column without a declared type is judged by its values."""
    with _connected(asked, address) as connection:
        schema, table = _table(asked, connection)
        columns = sa.inspect(connection).get_columns(table, schema=schema)
        found = []
        for column in columns:
            kind, stored = _kind(column["type"])
            if connection.dialect.name == "sqlite" and (kind == "text" or isinstance(column["type"], sa.NUMERIC)):
                sampled = _sampled(connection, table, column["name"], asked)
                if kind == "text" or sampled[0] == "datetime":  # CREATE TABLE AS makes a DATETIME a NUM
                    kind, stored = sampled
            found.append(FoundColumn(name=column["name"], type=kind, engine_type=stored or "VARCHAR"))
        return tuple(found)


def extent(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """How much the span has."""
    return None


def read(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows in the span, as Arrow batches; nothing is held but one batch."""
    after, until = span.after, span.until
    assert until is not None
    with _connected(asked, address) as connection:
        schema, table = _table(asked, connection)
        place = f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)
        if connection.dialect.name == "sqlite":
            yield from _read_sqlite(asked, connection, place, columns, after, until)
        else:
            statement = _postgresql_statement(asked, connection, schema, table, place, columns, after, until)
            yield from _read_postgresql(asked, connection, address, statement)


@contextmanager
def _connected(asked: Asked, address: str) -> Iterator[sa.Connection]:
    try:
        url = sa.engine.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        raise asked.failure(
            f"Source {asked.name}: `database` does not hold a database URL.",
            "Use sqlite:///path or postgresql://user:password@host/name, by reference: env:NAME.",
        ) from None
    engine = _engine(asked, url)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise asked.failure(
            f"Source {asked.name} cannot be reached at {_place(url)}: {_without_secrets(reason, url)}.",
            "Check that the database runs and that this host and user may read it.",
        ) from None
    finally:
        engine.dispose()


def _engine(asked: Asked, url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        return sa.create_engine(
            url, connect_args={"connect_timeout": _CONNECT_SECONDS, "options": "-c timezone=UTC"}
        ).execution_options(postgresql_readonly=True, stream_results=True)
    if url.get_backend_name() != "sqlite":
        raise asked.failure(
            f"Source {asked.name}: {url.get_backend_name()} cannot be read.", "Use SQLite, PostgreSQL, Parquet or CSV."
        )
    import pysqlite3

    path = Path(url.database or "")
    if not path.is_file():
        raise asked.failure(f"Source {asked.name}: there is no SQLite file at {path}.", "Correct the path or make it.")
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    return sa.create_engine(
        "sqlite://",
        module=pysqlite3,
        creator=lambda: pysqlite3.connect(uri, uri=True, timeout=30, check_same_thread=False),
        poolclass=sa.pool.NullPool,
    )


def _place(url: sa.URL) -> str:
    return f"{url.host or 'localhost'}/{url.database}" if url.get_backend_name() != "sqlite" else str(url.database)


def _without_secrets(text: str, url: sa.URL) -> str:
    secrets = [str(url.password)] if url.password else []
    secrets += [str(value) for value in url.query.values()]
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    return text.rstrip(".")


def _table(asked: Asked, connection: sa.Connection) -> tuple[str | None, str]:
    schema, _, table = asked.source.table.rpartition(".")
    inspector = sa.inspect(connection)
    known = {*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)}
    if connection.dialect.name == "postgresql":
        known |= set(inspector.get_materialized_view_names(schema or None))
    if table not in known:
        said = asked.failure(
            f"Source {asked.name}: there is no table {asked.source.table}.",
            f"{nearest(table, known)} Correct `table`, or let this user read it.",
        )
        raise NoSuchTable(said.message, said.repair)
    return schema or None, table


def _kind(declared: sa.types.TypeEngine[Any]) -> tuple[ColumnType, str]:
    if isinstance(declared, sa.Boolean):
        return "flag", "BOOLEAN"
    if isinstance(declared, sa.Integer):
        return "number", "BIGINT"
    if isinstance(declared, (sa.Numeric, sa.Float)):
        return "number", "DOUBLE"
    if isinstance(declared, (sa.DateTime, sa.Date)):
        return "datetime", "TIMESTAMP"
    return "text", "" if isinstance(declared, sa.types.NullType) else "VARCHAR"


_SAMPLE = """
SELECT count(value), sum(typeof(value) = 'integer'), sum(typeof(value) IN ('integer', 'real')),
       sum(value GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*')
FROM (SELECT {column} AS value FROM {table} WHERE {column} IS NOT NULL LIMIT 1000)
"""


def _sampled(connection: sa.Connection, table: str, column: str, asked: Asked) -> tuple[ColumnType, str]:
    """What SQLite's values are. A clock may hold a few values that are no instants: sync names them."""
    statement = _SAMPLE.format(column=quoted(column), table=quoted(table))
    count, integers, numbers, dates = connection.exec_driver_sql(statement).one()
    if (count and dates == count) or (_is_clock(asked, column) and (dates or not count)):
        return "datetime", "TIMESTAMP"
    if count and numbers == count:
        return "number", "BIGINT" if integers == count else "DOUBLE"
    return "text", "VARCHAR"


def _is_clock(asked: Asked, column: str) -> bool:
    return column in {asked.source.event_time, asked.source.known_at}


def _read_sqlite(
    asked: Asked,
    connection: sa.Connection,
    place: str,
    columns: Sequence[FoundColumn],
    after: datetime | None,
    until: datetime,
) -> Iterator[pa.RecordBatch]:
    """SQLite keeps instants as ISO text, which sorts by time as long as all are in UTC."""
    known_at = quoted(asked.source.known_at)
    wanted = ", ".join(quoted(column.name) for column in columns)
    bounds = f"{known_at} <= ?" + (f" AND {known_at} >= ?" if after else "")
    given = (f"{as_utc(until):%Y-%m-%d}~", *([f"{as_utc(after):%Y-%m-%d %H:%M:%S}"] if after else []))
    cursor = connection.exec_driver_sql(f"SELECT {wanted} FROM {place} WHERE {bounds}", given)
    while rows := cursor.fetchmany(_BATCH_ROWS):
        yield _batch(asked, columns, rows)


def _batch(asked: Asked, columns: Sequence[FoundColumn], rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    types = {
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.int64(),
        "TIMESTAMP": pa.string(),
        "VARCHAR": pa.string(),
    }
    arrays = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(pa.array(values, types[column.engine_type]))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            if column.type == "text":
                arrays.append(pa.array([None if value is None else str(value) for value in values], pa.string()))
                continue
            raise asked.failure(
                f"Source {asked.name}: column {column.name} is declared as {column.type} and holds something else.",
                "Correct the rows, or the column's type.",
            ) from None
    return pa.record_batch(arrays, names=[column.name for column in columns])


def _postgresql_statement(
    asked: Asked,
    connection: sa.Connection,
    schema: str | None,
    table: str,
    place: str,
    columns: Sequence[FoundColumn],
    after: datetime | None,
    until: datetime,
) -> str:
    zoned = {
        column["name"]
        for column in sa.inspect(connection).get_columns(table, schema=schema)
        if getattr(column["type"], "timezone", False)
    }
    casts = {"BIGINT": "bigint", "DOUBLE": "double precision", "BOOLEAN": "boolean", "VARCHAR": "text"}

    def value(column: FoundColumn) -> str:
        name = quoted(column.name)
        if column.type == "datetime":
            return f"({name} AT TIME ZONE 'UTC')" if column.name in zoned else f"{name}::timestamp"
        return f"{name}::{casts[column.engine_type]}"

    known_at = value(next(column for column in columns if column.name == asked.source.known_at))
    wanted = ", ".join(f"{value(column)} AS {quoted(column.name)}" for column in columns)
    bounds = f"{known_at} <= timestamp '{as_utc(until):%Y-%m-%d %H:%M:%S.%f}'"
    if after:
        bounds += f" AND {known_at} >= timestamp '{as_utc(after):%Y-%m-%d %H:%M:%S.%f}'"
    return f"SELECT {wanted} FROM {place} WHERE {bounds}"


def _read_postgresql(asked: Asked, connection: sa.Connection, address: str, statement: str) -> Iterator[pa.RecordBatch]:
    """By ADBC where it is installed: ten times faster than row by row."""
    import pyarrow as pa

    url = sa.engine.make_url(address)
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        rows = connection.exec_driver_sql(statement.replace("%", "%%")).yield_per(_BATCH_ROWS)
        for part in rows.partitions():
            arrays = [pa.array(values) for values in zip(*part, strict=True)]
            yield pa.record_batch(arrays, names=list(rows.keys()))
        return
    try:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with dbapi.connect(plain) as adbc, adbc.cursor() as cursor:
            cursor.execute(statement)
            yield from cursor.fetch_record_batch()
    except dbapi.Error as error:
        reason = _without_secrets(str(error).strip().splitlines()[0], url)
        raise asked.failure(
            f"Source {asked.name} cannot be read at {_place(url)}: {reason}.", "Check the table and the user's rights."
        ) from None
