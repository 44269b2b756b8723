"""The analytical engine: DuckDB in process, without extensions or network, in bounded memory where it can spill."""

from __future__ import annotations

import atexit
import errno
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.platform.errors import PilotageError, StorageFull, TooLarge
from pilotage.platform.processes import niceness_here, this_process
from pilotage.platform.quoting import literal

if TYPE_CHECKING:
    import duckdb

MEMORY_MB = 512
_KEPT = 3  # of one kind: a thread has more than one open where it brings rows from one into another
_BEGIN = "ATTACH ':memory:' AS own; USE own; SET enable_progress_bar = false"
_FORGET = "SET enable_external_file_cache = false; SET enable_external_file_cache = true"
_END = f"DETACH own; RESET temp_directory; RESET memory_limit; SET preserve_insertion_order = false; {_FORGET}"
_LEFT = """SELECT tag FROM duckdb_memory() WHERE memory_usage_bytes + temporary_storage_bytes > 0
UNION ALL SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> 'memory'
UNION ALL SELECT name FROM duckdb_secrets()"""

_Like = tuple[int, int]
"""How many threads an engine has, and how far they stand back: as the one that made it, for good."""
_idle: dict[_Like, list[duckdb.DuckDBPyConnection]] = {}
_at_the_idle = threading.Lock()


@contextmanager
def analytical(
    threads: int = 2, spill: Path | None = None, memory_mb: int = MEMORY_MB
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh in-memory DuckDB connection, in UTC, that neither loads extensions nor reports progress.

    With ``spill`` it takes at most ``memory_mb`` megabytes; what does not fit goes to a directory of its own in
    ``spill``, which is removed at the end.

    To start an engine is to fill its catalogue with three thousand functions, which takes twenty times as long as to
    ask it something. So an engine that was used without an error waits for the next use, by one at a time: nobody
    shares one while it works. Each use has a session and a database of its own, which end with it, and with them its
    tables, views, registered names and settings of the session; memory, spilling and order are set back, and what was
    remembered of files is forgotten. An engine is let go instead where anything else is left: an error, another
    database, a secret, a file system, a page in memory or on disk. Of the settings of a whole engine a use may only
    change ``preserve_insertion_order``.

    Raises:
        StorageFull: the disk under ``spill``, or under a file that was written, is full.
        TooLarge: one step needs more than the memory even with what can be spilled.
    """
    import duckdb

    # Two connections that spill into the same directory would overwrite each other's pages.
    own = None if spill is None else spill / f"{this_process()}.{secrets.token_hex(4)}"
    if own is not None:
        _made(own)
    like = (threads, niceness_here())
    engine = _taken(like)
    is_clean = False
    try:
        with engine.cursor() as connection:
            connection.execute(_BEGIN)
            if own is not None:
                connection.execute(f"SET temp_directory = {literal(str(own))}; SET memory_limit = '{memory_mb}MB'")
            yield connection
        is_clean = True
    except duckdb.Error as error:
        failure = _of_the_machine(error, spill, memory_mb)
        if failure is None:
            raise
        raise failure from None
    finally:
        if is_clean and _is_as_new(engine):
            _keep(engine, like)
        else:
            engine.close()
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


def _taken(like: _Like) -> duckdb.DuckDBPyConnection:
    """An engine that waits, or a new one."""
    import duckdb

    with _at_the_idle:
        if waiting := _idle.get(like):
            return waiting.pop()
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": like[0],
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_persistent_secrets": False,
        "preserve_insertion_order": False,
    }
    return duckdb.connect(":memory:", config=config)


def _is_as_new(engine: duckdb.DuckDBPyConnection) -> bool:
    """Bring an engine back to where it began; whether nothing of its use is left in it."""
    import duckdb

    try:
        engine.execute(_END)
        return not engine.execute(_LEFT).fetchall() and not engine.list_filesystems()
    except duckdb.Error:  # it cannot leave the directory that it spilled into, nor a database that is still read
        return False


def _keep(engine: duckdb.DuckDBPyConnection, like: _Like) -> None:
    with _at_the_idle:
        waiting = _idle.setdefault(like, [])
        if len(waiting) < _KEPT:
            waiting.append(engine)
            return
    engine.close()


def _let_go() -> None:
    """Close the engines that wait: their threads would not follow into a fork."""
    with _at_the_idle:
        waiting = [engine for engines in _idle.values() for engine in engines]
        _idle.clear()
    for engine in waiting:
        engine.close()


atexit.register(_let_go)
os.register_at_fork(before=_let_go)


def _made(own: Path) -> None:
    """The engine makes no directory whose parent is not there."""
    try:
        own.mkdir(parents=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull.at(own.parent) from None
        raise


def _of_the_machine(error: duckdb.Error, spill: Path | None, memory_mb: int) -> PilotageError | None:
    """What the machine lacked; None where the error is of another kind."""
    import duckdb

    text = str(error)
    if "No space left on device" in text or "max_temp_directory_size" in text or "Disk quota exceeded" in text:
        return StorageFull.at(spill)
    if isinstance(error, duckdb.OutOfMemoryException):
        return TooLarge(
            f"One step needs more than the {memory_mb} MB of memory that the engine may take.",
            "Read fewer or smaller columns, through a view that leaves out what the use case does not need.",
        )
    return None
