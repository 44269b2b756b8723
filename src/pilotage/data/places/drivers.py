"""Read-only connections to the three engines, as live questions use them: without a transaction, limited in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from pilotage.data.sources.databases import duckdb_session
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.instants import as_utc
from pilotage.usecase.rules.expressions.dialects import Dialect

_INSTRUCTIONS = 10_000
"""So often SQLite asks whether time is over: several times a millisecond."""
_CONNECT_SECONDS = 5


def dialect_of(address: str) -> Dialect:
    """The engine behind an address.

    Raises:
        SourceUnavailable: it is none that can be asked live.
    """
    kind = address.split(":", 1)[0].split("+", 1)[0]
    known: dict[str, Dialect] = {
        "sqlite": "sqlite",
        "postgresql": "postgresql",
        "postgres": "postgresql",
        "duckdb": "duckdb",
    }
    if kind not in known:
        raise SourceUnavailable(
            f"A {kind} database cannot be asked live.", "Use SQLite, PostgreSQL or DuckDB, or live: snapshot."
        )
    return known[kind]


def driver_errors(dialect: Dialect) -> tuple[type[Exception], ...]:
    """What the engine's driver raises."""
    if dialect == "sqlite":
        import pysqlite3

        return (pysqlite3.Error,)
    if dialect == "postgresql":
        import psycopg

        return (psycopg.Error,)
    import duckdb

    return (duckdb.Error,)


def stored(value: Any, dialect: Dialect) -> Any:
    """A parameter as the engine takes it: SQLite has instants as text."""
    if isinstance(value, datetime):
        instant = as_utc(value).replace(tzinfo=None)
        return instant.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect == "sqlite" else instant
    return value


def file_of(address: str) -> Path:
    """The file of a SQLite or DuckDB address."""
    return Path(str(sa.engine.make_url(address).database))


class Connection:
    """One connection; ``ask`` gives the rows of a query as tuples."""

    def __init__(self, address: str, wait_seconds: float) -> None:
        self.dialect = dialect_of(address)
        self._wait_seconds = wait_seconds
        self._ends_at = 0.0
        self._driver: Any = getattr(self, f"_{self.dialect}")(address)

    def ask(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement in the driver's own style of parameters."""
        self._ends_at = time.monotonic() + self._wait_seconds
        given = {name: stored(value, self.dialect) for name, value in parameters.items()}
        if self.dialect == "postgresql":
            rows: list[tuple[Any, ...]] = self._driver.execute(sql.encode(), given).fetchall()
            return rows
        if self.dialect == "duckdb":
            return self._from_file(sql, given)
        with closing(self._driver.cursor()) as cursor:
            cursor.execute(sql, given)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def _from_file(self, sql: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """DuckDB has no limit of its own: it is interrupted once time is over."""
        with closing(duckdb_session.opened(self._driver, self._ends_at)) as connection:
            end = threading.Timer(max(0.0, self._ends_at - time.monotonic()), connection.interrupt)
            end.start()
            try:
                rows: list[tuple[Any, ...]] = connection.execute(sql, dict(given)).fetchall()
                return rows
            finally:
                end.cancel()
                end.join()

    def close(self) -> None:
        if self.dialect != "duckdb":
            self._driver.close()

    def _sqlite(self, address: str) -> Any:
        import pysqlite3

        path = file_of(address)
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        connection = pysqlite3.connect(
            uri, uri=True, timeout=self._wait_seconds, check_same_thread=False, isolation_level=None
        )
        connection.set_progress_handler(lambda: time.monotonic() > self._ends_at, _INSTRUCTIONS)
        return connection

    def _postgresql(self, address: str) -> Any:
        import psycopg

        url = sa.engine.make_url(address).set(drivername="postgresql").difference_update_query(["options"])
        connection = psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="pilotage live",
            client_encoding="UTF8",
        )
        milliseconds = max(1, int(self._wait_seconds * 1000))
        connection.execute(
            "SELECT set_config('TimeZone', 'UTC', false), set_config('default_transaction_read_only', 'on', false), "
            "set_config('statement_timeout', %s, false), set_config('jit', 'off', false)",
            [str(milliseconds)],
        )
        return connection

    def _duckdb(self, address: str) -> Path:
        """Only where the file is: while it is open, nobody could replace its tables."""
        return file_of(address)
