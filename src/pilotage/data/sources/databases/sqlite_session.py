"""Opening SQLite files so that nothing can be written and no query takes too long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting
from pilotage.usecase.records import seconds

_INSTRUCTIONS = 100_000
"""So often SQLite asks whether time is over: about every millisecond."""


@contextmanager
def connected(asked: Asked, url: sa.URL) -> Iterator[sa.Connection]:
    """A read-only connection.

    Raises:
        SourceUnavailable: there is no such file, it is no database, or somebody keeps it locked.
    """
    path = Path(url.database or "")
    if not path.is_file():
        raise asked.failure(f"Source {asked.name}: there is no SQLite file at {path}.", "Correct the path or make it.")
    import pysqlite3

    engine = sa.create_engine(
        "sqlite://", module=pysqlite3, creator=lambda: _open(asked, path), poolclass=sa.pool.NullPool
    )
    with connecting.translated(asked, url, driver_errors(), "reached"):
        connection = engine.connect().execution_options(no_parameters=True)
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema")
    try:
        with connection:
            yield connection
    finally:
        engine.dispose()


def driver_errors() -> tuple[type[Exception], ...]:
    """What pysqlite3 raises."""
    import pysqlite3

    return (pysqlite3.Error,)


def _open(asked: Asked, path: Path) -> Any:
    import pysqlite3

    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = pysqlite3.connect(uri, uri=True, timeout=connecting.CONNECT_SECONDS, check_same_thread=False)
    ends_at = time.monotonic() + seconds(asked.source.timeout)
    connection.set_progress_handler(lambda: time.monotonic() > ends_at, _INSTRUCTIONS)
    return connection
