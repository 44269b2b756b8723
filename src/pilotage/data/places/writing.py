"""Writing all keys' values into tables, replacing those of the time before in one transaction.

A reader sees the old tables or the new ones. A table of the same name that is not ours is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct

from pilotage.data.places.drivers import dialect_of, driver_errors, file_of, stored
from pilotage.data.rules.direct import SPELLINGS, Group
from pilotage.data.sources.databases import duckdb_session
from pilotage.platform.errors import Conflict, SourceUnavailable
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions.dialects import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE = "{name}_made"
_ROWS_AT_ONCE = 5_000
_LOCKED_SECONDS = 10.0
_MARKS: dict[Dialect, str] = {"sqlite": "?", "duckdb": "?", "postgresql": "%s"}


class Keyed(Struct, frozen=True):
    """All keys of a group with their columns' values, in the order of its keys, then its columns."""

    group: Group
    rows: list[tuple[Any, ...]]

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        keys = dict(zip(self.group.by, self.group.kinds, strict=True))
        return keys | {column.name: column.kind for column in self.group.columns}


def table_name(name: str, group: Group) -> str:
    """The table of a group: ``flights_arrivals_by_carrier``."""
    return f"{name}_{group.name}"


def replace(address: str, name: str, keyed: Sequence[Keyed], made_at: datetime) -> list[str]:
    """Write a table for each group, named after ``name``, and when they were made; the names of the tables.

    Raises:
        SourceUnavailable: the address is of no database that can be written, or writing failed.
        Conflict: a table has such a name and was not made by this.
    """
    errors: tuple[type[Exception], ...] = (*driver_errors(dialect_of(address)), OSError)
    try:
        with _transaction(address) as cursor:
            return _replaced(cursor, dialect_of(address), name, keyed, made_at)
    except errors as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SourceUnavailable(
            f"The tables of {name} could not be written: {said}", "Give an address that this user may write."
        ) from None


def _replaced(cursor: Any, dialect: Dialect, name: str, keyed: Sequence[Keyed], made_at: datetime) -> list[str]:
    there = _tables(cursor, dialect)
    names = [table_name(name, each.group) for each in keyed]
    taken = [each for each in names if each in there]
    if taken and MADE.format(name=name) not in there:
        raise Conflict(f"There is a table {taken[0]} that Pilotage did not make.", "Give --table another name.")
    for table, each in zip(names, keyed, strict=True):
        _write(cursor, dialect, table, each)
    made = quoted(MADE.format(name=name))
    cursor.execute(f"DROP TABLE IF EXISTS {made}")
    cursor.execute(f"CREATE TABLE {made} (made_at {SPELLINGS[dialect].type_of('datetime')})")
    cursor.execute(f"INSERT INTO {made} VALUES ({_MARKS[dialect]})", [stored(made_at, dialect)])
    return names


def _write(cursor: Any, dialect: Dialect, table: str, keyed: Keyed) -> None:
    typed = ", ".join(f"{quoted(name)} {SPELLINGS[dialect].type_of(kind)}" for name, kind in keyed.kinds.items())
    key = ", ".join(map(quoted, keyed.group.by))
    cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    cursor.execute(f"CREATE TABLE {quoted(table)} ({typed}, PRIMARY KEY ({key}))")
    marks = ", ".join([_MARKS[dialect]] * len(keyed.kinds))
    for start in range(0, len(keyed.rows), _ROWS_AT_ONCE):
        part = [[stored(value, dialect) for value in row] for row in keyed.rows[start : start + _ROWS_AT_ONCE]]
        cursor.executemany(f"INSERT INTO {quoted(table)} VALUES ({marks})", part)


def _tables(cursor: Any, dialect: Dialect) -> set[str]:
    if dialect == "sqlite":
        cursor.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    else:
        schema = "current_schema()"
        cursor.execute(f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}")
    return {name for (name,) in cursor.fetchall()}


@contextmanager
def _transaction(address: str) -> Iterator[Any]:
    """A cursor in a transaction that is kept when all went well, else undone."""
    with closing(_opened(address)) as connection:  # what is not committed when it is closed is undone
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        yield cursor
        cursor.execute("COMMIT")


def _opened(address: str) -> Any:
    dialect = dialect_of(address)
    if dialect == "postgresql":
        import psycopg

        url = sa.engine.make_url(address).set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True, application_name="pilotage")
    path = file_of(address)
    path.parent.mkdir(parents=True, exist_ok=True)
    if dialect == "duckdb":
        return duckdb_session.opened(path, time.monotonic() + _LOCKED_SECONDS, read_only=False)
    import pysqlite3

    connection = pysqlite3.connect(str(path), isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")  # so that readers do not wait while the tables are written
    return connection
