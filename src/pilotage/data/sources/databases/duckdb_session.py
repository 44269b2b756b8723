"""Opening DuckDB files so that nothing but the file is read, nothing is written, and no query takes too long.

A process has each file open in one way: every opening here has the same settings, or DuckDB refuses the second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting
from pilotage.data.sources.time_limit import TimeLimit

if TYPE_CHECKING:
    import duckdb

_AGAIN_SECONDS = 0.003
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "temp_directory": "",
}
"""Without access to anything outside: a view in the file may name any other file of this machine, or an address."""


class Session:
    """A DuckDB connection asked as SQLAlchemy's are, for which DuckDB brings no dialect."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.driver = connection

    def exec_driver_sql(self, statement: str) -> Answer:
        return Answer(self.driver.execute(statement).fetchall())


class Answer:
    """The rows of a statement, as :class:`sqlalchemy.CursorResult` gives them."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def all(self) -> list[tuple[Any, ...]]:
        return self._rows

    def one(self) -> tuple[Any, ...]:
        (row,) = self._rows
        return row

    def scalar_one(self) -> Any:
        return self.one()[0]


@contextmanager
def connected(asked: Asked, url: sa.URL) -> Iterator[Session]:
    """A read-only connection, interrupted when the source's time is over.

    Raises:
        SourceUnavailable: there is no such file, it is no database, or another program writes it.
        SourceUnreachable: time was over.
    """
    path = Path(url.database or "")
    if not path.is_file():
        raise asked.failure(f"Source {asked.name}: there is no DuckDB file at {path}.", "Correct the path or make it.")
    limit = TimeLimit(asked)
    with connecting.translated(asked, url, driver_errors(), "reached"):
        connection = opened(path, time.monotonic() + connecting.CONNECT_SECONDS)
    with closing(connection), limit.over_engine(connection):
        yield Session(connection)


def driver_errors() -> tuple[type[Exception], ...]:
    """What DuckDB raises."""
    import duckdb

    return (duckdb.Error,)


def opened(path: Path, ends_at: float, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """A DuckDB file in UTC, once nobody has it open otherwise: it has one writer, or readers."""
    import duckdb

    while True:
        try:
            connection = duckdb.connect(str(path), read_only=read_only, config=_SETTINGS)
            connection.execute("SET TimeZone = 'UTC'")
            return connection
        except duckdb.Error as error:
            if time.monotonic() > ends_at or (read_only and not _passes(error)):
                raise
            time.sleep(_AGAIN_SECONDS)


def _passes(error: Exception) -> bool:
    """Whether another program, or another part of this one, only has the file open otherwise for a while."""
    said = str(error)
    return "lock" in said or "different configuration" in said
