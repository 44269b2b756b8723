"""The analytical engine: DuckDB in process, without extensions or network, in bounded memory where it can spill."""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.platform.errors import PilotageError, StorageFull, TooLarge
from pilotage.platform.processes import this_process

if TYPE_CHECKING:
    import duckdb

MEMORY_MB = 512


@contextmanager
def analytical(
    threads: int = 2, spill: Path | None = None, memory_mb: int = MEMORY_MB
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh in-memory DuckDB connection, in UTC, that neither loads extensions nor reports progress.

    With ``spill`` it takes at most ``memory_mb`` megabytes; what does not fit goes to a directory of its own in
    ``spill``, which is removed at the end.

    Raises:
        StorageFull: the disk under ``spill``, or under a file that was written, is full.
        TooLarge: one step needs more than the memory even with what can be spilled.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    # Two connections that spill into the same directory would overwrite each other's pages.
    own = None if spill is None else spill / f"{this_process()}.{secrets.token_hex(4)}"
    if own is not None:
        _made(own)
        config |= {"temp_directory": str(own), "memory_limit": f"{memory_mb}MB"}
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    except duckdb.Error as error:
        failure = _of_the_machine(error, spill, memory_mb)
        if failure is None:
            raise
        raise failure from None
    finally:
        connection.close()
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


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
