"""The three engines as tests ask them: tables made anew, rows put in, queries with parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from pilotage.data.live import as_kind
from pilotage.data.rules.direct import for_driver
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions.dialects import Dialect
from tests import postgres

TYPES: dict[Dialect, dict[str, str]] = {
    "duckdb": {"number": "DOUBLE", "text": "VARCHAR", "datetime": "TIMESTAMP", "flag": "BOOLEAN"},
    "sqlite": {"number": "REAL", "text": "TEXT", "datetime": "DATETIME", "flag": "BOOLEAN"},
    "postgresql": {"number": "double precision", "text": "text", "datetime": "timestamp", "flag": "boolean"},
}


class Engine(Protocol):
    dialect: Dialect

    def fill(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None: ...

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]: ...


class _Driver:
    """An engine behind a DB-API connection."""

    def __init__(self, dialect: Dialect, connection: Any, mark: str) -> None:
        self.dialect, self.connection, self._mark = dialect, connection, mark

    def fill(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
        typed = ", ".join(f"{quoted(name)} {TYPES[self.dialect][type_]}" for name, type_ in columns.items())
        self.connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
        self.connection.execute(f"CREATE TABLE {quoted(table)} ({typed})")
        places = ", ".join([self._mark] * len(columns))
        if rows:
            cursor = self.connection.cursor()
            values = [[self._stored(value) for value in row] for row in rows]
            cursor.executemany(f"INSERT INTO {quoted(table)} VALUES ({places})", values)

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        given = {name: self._stored(value) for name, value in (parameters or {}).items()}
        cursor = self.connection.cursor()
        cursor.execute(for_driver(sql, self.dialect), given)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _stored(self, value: Any) -> Any:
        if self.dialect == "sqlite" and isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        return value


@contextmanager
def engine(dialect: Dialect) -> Iterator[Engine]:
    """One of the engines; PostgreSQL in a cluster of its own."""
    if dialect == "duckdb":
        import duckdb

        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield _Driver(dialect, connection, "?")
    elif dialect == "sqlite":
        import pysqlite3

        yield _Driver(dialect, pysqlite3.connect(":memory:", isolation_level=None), "?")
    else:
        import psycopg

        with (
            postgres.cluster_or_skip("columns asked of PostgreSQL") as address,
            psycopg.connect(address, autocommit=True, options="-c TimeZone=UTC -c jit=off") as connection,
        ):
            yield _Driver(dialect, connection, "%s")


def read(value: Any, kind: ColumnKind) -> Any:
    """A value of an engine as the training set has it."""
    read = as_kind(value, kind)
    return read.replace(tzinfo=None) if isinstance(read, datetime) else read


def utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
