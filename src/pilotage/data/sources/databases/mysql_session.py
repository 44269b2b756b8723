"""Connecting to MySQL and MariaDB so that nothing can be written, no query takes too long and rows come one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting, rights
from pilotage.data.sources.databases.batches import Rows
from pilotage.data.sources.databases.places import parsed
from pilotage.usecase.records import seconds

_SESSION = (
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone = '+00:00', net_write_timeout = {seconds}"
)
_LIMIT = {True: "SET SESSION max_statement_time = {seconds}", False: "SET SESSION max_execution_time = {seconds}000"}
_READ_ONLY = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_BEGIN = "START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT"
_PATIENCE_SECONDS = 10
"""How much longer we wait than the server is told to: it should say itself that time is over."""


@contextmanager
def connected(asked: Asked, url: sa.URL) -> Iterator[sa.Connection]:
    """A connection inside a read-only transaction that sees one state.

    Raises:
        SourceUnavailable: the server cannot be reached, or the user could write.
    """
    _demand_driver(asked)
    url = url.set(drivername="mysql+pymysql")
    named = parsed(asked.source.table)
    database = (named[0] if named else "") or url.database or ""
    engine = sa.create_engine(url, creator=lambda: _connect(asked, url), poolclass=sa.pool.NullPool)
    with connecting.translated(asked, url, driver_errors(), "reached"):
        connection = engine.connect().execution_options(no_parameters=True)
    try:
        with connection, connecting.translated(asked, url, driver_errors()):
            if not asked.source.accept_writer:
                rights.demand_reader_of_mysql(asked, connection, database)
            connection.exec_driver_sql(_BEGIN)
            yield connection
    finally:
        engine.dispose()


def driver_errors() -> tuple[type[Exception], ...]:
    """What PyMySQL raises, on its own connections and sockets."""
    import pymysql

    return (pymysql.Error, OSError)


@contextmanager
def streaming(connection: sa.Connection, statement: str) -> Iterator[Callable[[int], Rows]]:
    """A function that fetches so many more rows. All values come as text, which Arrow reads faster than Python."""
    from pymysql.cursors import SSCursor

    class Streamed(SSCursor):  # type: ignore[misc]
        """Closing leaves the remaining rows unread; PyMySQL would fetch them all. The connection is of no more use."""

        connection: Any

        def close(self) -> None:
            if self._result is not None:
                self._result.unbuffered_active = False
            self.connection = None

        __del__ = close

    driver: Any = connection.connection.dbapi_connection
    driver.decoders = {}
    cursor = Streamed(driver)
    try:
        cursor.execute(statement)
        yield cursor.fetchmany
    finally:
        cursor.close()
        connection.invalidate()


def _connect(asked: Asked, url: sa.URL) -> Any:
    """PyMySQL's ``connect_timeout`` ends with TCP: ``read_timeout`` is for a server that accepts and says nothing."""
    import pymysql

    _, arguments = sa.create_engine(url).dialect.create_connect_args(url)
    limits = {"connect_timeout": connecting.CONNECT_SECONDS, "read_timeout": connecting.CONNECT_SECONDS}
    connection = pymysql.connect(**{"charset": "utf8mb4", **arguments, **limits})
    timeout = seconds(asked.source.timeout)
    connection._read_timeout = timeout + _PATIENCE_SECONDS
    with connection.cursor() as cursor:
        cursor.execute(_SESSION.format(seconds=timeout))
        cursor.execute(_LIMIT["MariaDB" in connection.get_server_info()].format(seconds=timeout))
        cursor.execute(_READ_ONLY)
    return connection


def _demand_driver(asked: Asked) -> None:
    try:
        import pymysql  # noqa: F401 (that it is there)
    except ImportError:
        message = f"Source {asked.name}: MySQL needs the package pymysql, which is not installed."
        raise asked.failure(message, "Run: pip install 'pilotage[mysql]'.") from None
