"""Connecting to PostgreSQL so that nothing can be written and no query takes too long.

The limits hold inside the transaction (``SET LOCAL``), for a pooler such as PgBouncer drops what is asked for at the
start of a connection, or refuses it: then it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting, rights
from pilotage.platform.quoting import literal
from pilotage.usecase.records import seconds

OPTIONS = "-c default_transaction_read_only=on"
_REFUSED = "unsupported startup parameter"
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "lock_timeout": f"{connecting.CONNECT_SECONDS}s",
}


class Session(Struct, frozen=True):
    """An open connection, and how another one like it is opened."""

    connection: sa.Connection
    url: sa.URL
    arguments: dict[str, Any]


@contextmanager
def connected(asked: Asked, url: sa.URL) -> Iterator[Session]:
    """A session inside a read-only transaction that sees one state.

    Raises:
        SourceUnavailable: the server cannot be reached, or the user could write.
    """
    url = url.set(drivername="postgresql+psycopg")
    _demand_driver(asked)
    arguments = _arguments(url)
    try:
        engine, connection = _connect(url, arguments)
    except sa.exc.SQLAlchemyError as error:
        if _REFUSED not in str(error):
            raise connecting.unreadable(asked, url, error, "reached") from None
        del arguments["options"]
        with connecting.translated(asked, url):
            engine, connection = _connect(url, arguments)
    try:
        with connection, connecting.translated(asked, url):
            connection.exec_driver_sql(settings_sql(asked))
            if not asked.source.accept_writer:
                rights.demand_reader_of_postgresql(asked, connection, url)
            yield Session(connection=connection, url=url, arguments=arguments)
    finally:
        engine.dispose()


def settings_sql(asked: Asked) -> str:
    """One statement that sets the limits until the end of the transaction."""
    settings = _SETTINGS | {"statement_timeout": f"{seconds(asked.source.timeout)}s"}
    calls = (f"set_config({literal(name)}, {literal(value)}, true)" for name, value in settings.items())
    return f"SELECT {', '.join(calls)}"


def _arguments(url: sa.URL) -> dict[str, Any]:
    """A dead network is noticed within a minute; what the address asks for comes first."""
    given = {
        "connect_timeout": connecting.CONNECT_SECONDS,
        "application_name": "pilotage",
        "client_encoding": "UTF8",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    asked_for = str(url.query["options"]) if "options" in url.query else ""
    return {name: value for name, value in given.items() if name not in url.query} | {
        "options": f"{asked_for} {OPTIONS}".strip()
    }


def _connect(url: sa.URL, arguments: dict[str, Any]) -> tuple[sa.Engine, sa.Connection]:
    engine = sa.create_engine(
        url.difference_update_query(["options"]),
        connect_args=arguments,
        poolclass=sa.pool.NullPool,
        isolation_level="REPEATABLE READ",
    )
    options = {"postgresql_readonly": True, "no_parameters": True}
    return engine, engine.connect().execution_options(**options)


def _demand_driver(asked: Asked) -> None:
    try:
        import psycopg  # noqa: F401 (that it is there)
    except ImportError:
        message = f"Source {asked.name}: PostgreSQL needs the package psycopg, which is not installed."
        raise asked.failure(message, "Run: pip install 'pilotage[postgres]'.") from None
