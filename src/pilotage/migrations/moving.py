"""Moves the control database into another one: every table, in one transaction there, compared before it commits."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.exc import DBAPIError, OperationalError

from pilotage.platform.database import Database
from pilotage.platform.errors import Conflict, PilotageError, SettingsError
from pilotage.platform.schema import upgrade

_ROWS = 1_000
_WAIT_SECONDS = 2
_LOOK_AGAIN_SECONDS = 0.02
_REVISION = "alembic_version"
_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
AND coalesce(backend_type, 'client backend') = 'client backend'"""
"""Who else is connected. Of other users' connections the type may be hidden; the server's own workers have no user."""


class Moved(Struct, frozen=True):
    """What was copied: rows by table."""

    rows: dict[str, int]


def move(source: Database, target: Database) -> Moved:
    """Copy all that ``source`` holds into the empty ``target``; the source stays as it is.

    While it copies, nobody else may use the source: what was written there meanwhile would be lost. Each table is read
    back and compared, row by row, before the target commits; so there is a whole copy or none.

    Raises:
        Conflict: the target holds something already, or the source is in use.
        SettingsError: the target cannot be reached, or is the source.
    """
    _demand_empty(source, target)
    upgrade(target)
    source.close()  # our own idle connections are no other users
    with _alone(source) as old, target.writing() as new:
        before, after = _tables(old), _tables(new)
        _demand_same(before, after)
        for table in after.sorted_tables:
            _copy(old, before.tables[table.name], new, table)
        rows = {table.name: _compared(old, before.tables[table.name], new, table) for table in after.sorted_tables}
        _count_on(new, after)
    return Moved(rows)


def _demand_empty(source: Database, target: Database) -> None:
    if source.url == target.url:
        raise SettingsError("--to names the database that is in use now.", "Name another, empty one.")
    try:
        with target.reading() as connection:
            names = [name for name in sa.inspect(connection).get_table_names() if name != _REVISION]
            held = [
                name
                for name in sorted(names)
                if connection.execute(sa.select(sa.literal(1)).select_from(sa.table(name)).limit(1)).first()
            ]
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        raise SettingsError(
            f"The database of --to cannot be used: {said}", "Correct its address, or start it."
        ) from None
    if held:
        raise Conflict(
            f"The database of --to is not empty: {', '.join(held[:5])} hold rows.",
            "Name a database in which nothing was done yet; nothing was changed.",
        )


@contextmanager
def _alone(source: Database) -> Iterator[sa.Connection]:
    """A connection to the source which nobody else uses or can begin to use."""
    if source.is_sqlite:
        with _sqlite_alone(source) as connection:
            yield connection
        return
    with source.reading() as connection:
        names = sa.inspect(connection).get_table_names()
        connection.rollback()
        connection.execution_options(isolation_level="REPEATABLE READ")
        quote = connection.dialect.identifier_preparer.quote
        try:  # before anything is read: the snapshot of this transaction is of what nobody can change any more
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'")  # autovacuum gives way in one
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(map(quote, names))} IN SHARE MODE")
        except OperationalError:
            raise _in_use() from None
        _demand_nobody_else(connection)
        yield connection


def _demand_nobody_else(connection: sa.Connection) -> None:
    """Whoever is leaving has time to: the server counts a closed connection until its process has ended."""
    until = time.monotonic() + _WAIT_SECONDS
    while connection.execute(sa.text(_OTHERS)).scalar_one():
        if time.monotonic() > until:
            raise _in_use()
        time.sleep(_LOOK_AGAIN_SECONDS)
        connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))  # or the transaction sees who was there first


@contextmanager
def _sqlite_alone(source: Database) -> Iterator[sa.Connection]:
    import pysqlite3

    def connect() -> Any:
        raw = pysqlite3.connect(source.url.database, timeout=_WAIT_SECONDS, isolation_level=None)
        raw.execute("PRAGMA locking_mode=EXCLUSIVE")
        return raw

    engine = sa.create_engine(
        source.url, module=pysqlite3, creator=connect, poolclass=sa.NullPool, hide_parameters=True
    )
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            raise _in_use() from None
        yield connection


def _in_use() -> Conflict:
    return Conflict(
        "The present control database is in use by another process.",
        "Stop every pilotage serve and other command on it, and run this again; nothing was changed.",
    )


def _tables(connection: sa.Connection) -> sa.MetaData:
    """The tables as the database itself describes them, without that of the schema's revision."""
    found = sa.MetaData()
    found.reflect(connection)
    found.remove(found.tables[_REVISION])
    return found


def _demand_same(before: sa.MetaData, after: sa.MetaData) -> None:
    differing = set(before.tables) ^ set(after.tables)
    differing |= {name for name, table in after.tables.items() if name not in differing and not _fits(before, table)}
    if differing:
        raise PilotageError(
            f"Tables of the two databases differ although both have the newest schema: {', '.join(sorted(differing))}.",
            "Somebody changed the schema by hand. Bring it back to that of the migrations; nothing was copied.",
        )


def _fits(before: sa.MetaData, table: sa.Table) -> bool:
    return set(before.tables[table.name].c.keys()) == set(table.c.keys())


def _copy(old: sa.Connection, before: sa.Table, new: sa.Connection, after: sa.Table) -> None:
    for rows in _chunks(old, before):
        new.execute(after.insert(), [dict(row._mapping) for row in rows])


def _chunks(connection: sa.Connection, table: sa.Table) -> Iterator[Any]:
    wanted = sa.select(*(table.c[name] for name in sorted(table.c.keys())))
    streamed = connection.execution_options(stream_results=True).execute(wanted)
    yield from streamed.partitions(_ROWS)


def _compared(old: sa.Connection, before: sa.Table, new: sa.Connection, after: sa.Table) -> int:
    """How many rows both tables have, where they are the same rows."""
    held, came = _sum_of(old, before), _sum_of(new, after)
    if held != came:
        raise PilotageError(
            f"Table {after.name} was not copied as it is: {held[0]} rows there, {came[0]} here, or other content.",
            "Nothing was kept in the new database. Go on with the old one, and report this.",
        )
    return held[0]


def _sum_of(connection: sa.Connection, table: sa.Table) -> tuple[int, int]:
    """Rows, and a sum over the SHA-256 of each: databases sort text differently, a sum needs no order."""
    count = total = 0
    for rows in _chunks(connection, table):
        for row in rows:
            content = repr(tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)).encode()
            total += int.from_bytes(hashlib.sha256(content).digest())
            count += 1
    return count, total


def _count_on(connection: sa.Connection, tables: sa.MetaData) -> None:
    """Let PostgreSQL's counters go on behind the numbers that were copied."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.sorted_tables:
        for column in table.c:
            if "nextval(" in str(getattr(column.server_default, "arg", "")):
                highest = connection.execute(sa.select(sa.func.max(column))).scalar()
                if highest is not None:
                    counter = sa.func.pg_get_serial_sequence(table.name, column.name)
                    connection.execute(sa.select(sa.func.setval(counter, highest)))
