"""The control database: SQLite by default, PostgreSQL in production, one schema.

Each room declares its tables on :data:`metadata` in its ``store.py``. SQLite has one writer: a write takes the lock at
its beginning (``BEGIN IMMEDIATE``), so that two writers wait for each other instead of failing half-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.pool import ConnectionPoolEntry

from pilotage.platform.errors import InvalidRequest, SettingsError
from pilotage.platform.instants import as_utc

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Of libpq: the first four in seconds and tries, the last in milliseconds."""


_POOL: dict[str, Any] = {"max_overflow": 30, "pool_use_lifo": True, "hide_parameters": True}
"""Connections beyond the five that are kept: with fewer than threads that may ask, one request waits for another's.
The one that was used last is used next: each has a cache of its own, and few of them fill.
"""


class _NoInstant(InvalidRequest, DontWrapMixin):
    """An instant that no store has, as the error that callers are told: statements would wrap any other."""


class Instant(sa.TypeDecorator[datetime]):
    """An instant in UTC, stored without zone, read back with it."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        try:
            return None if value is None else as_utc(value).replace(tzinfo=None)
        except InvalidRequest as error:
            raise _NoInstant(error.message, error.repair) from None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Json(sa.TypeDecorator[Any]):
    """Any msgspec-encodable value, stored as JSON text and read back as plain lists and dicts."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value, order="deterministic").decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


class Database:
    """A pool of connections to the control database."""

    def __init__(self, url: str) -> None:
        self.url = sa.engine.make_url(url)
        if self.url.get_backend_name() not in {"sqlite", "postgresql"}:
            raise SettingsError(
                f"PILOTAGE_DATABASE_URL names {self.url.get_backend_name()}, which cannot hold the control database.",
                "Use sqlite:///path or postgresql+psycopg://…",
            )
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for reading; whatever was begun is rolled back."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a write transaction: committed at the end, rolled back on any error."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(pilotage_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def migrating(self) -> Iterator[sa.Connection]:
        """As :meth:`writing`, for changes of the schema.

        SQLite changes a column by making its table anew, which the rows that point at it would forbid: their references
        are looked at once, before the commit.

        Raises:
            sqlalchemy.exc.IntegrityError: a row points at nothing now; nothing was changed.
        """
        if not self.is_sqlite:
            with self.writing() as connection:
                yield connection
            return
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")  # says nothing within a transaction
            try:
                connection.execution_options(pilotage_write=True)
                with connection.begin():
                    yield connection
                    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                    if lost:
                        raise sa.exc.IntegrityError(
                            "PRAGMA foreign_key_check", None, ValueError(f"rows of {lost[0][0]}")
                        )
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def close(self) -> None:
        self.engine.dispose()


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    """A host that is gone without a word is noticed in seconds, not in the quarter of an hour that TCP takes by itself.

    What the address says of time-outs counts instead.
    """
    unsaid = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    return sa.create_engine(url, pool_pre_ping=True, connect_args=unsaid, **_POOL)


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    """SQLite through the bundled library: the system's own may be one that corrupts the log when reset."""
    import pysqlite3

    arguments = {"timeout": 30, "check_same_thread": False}
    engine = sa.create_engine(url, module=pysqlite3, connect_args=arguments, **_POOL)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see below
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("pilotage_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def insert_ignoring(database: Database | sa.Connection, table: sa.Table) -> Any:
    """An INSERT that leaves rows alone whose key is already there, in either dialect; ``rowcount`` says how many rows
    it added.
    """
    insert: Any
    if database.engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    # Without it SQLAlchemy forgets the count of an INSERT on PostgreSQL, and says -1.
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
