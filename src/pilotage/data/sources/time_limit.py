"""The time that a source may take, where nobody but we can end it: files, and what lies on object storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnreachable
from pilotage.usecase.records import seconds

if TYPE_CHECKING:
    import duckdb

_AGAIN_SECONDS = 0.02
allowed = seconds


class TimeLimit:
    """A span that began when this was made; ``demand`` fails as soon as it is over."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._began_at = time.monotonic()
        self.over = threading.Event()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._wait, name=f"time limit of {asked.name}", daemon=True)
        self._engine: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def running(self) -> Iterator[TimeLimit]:
        """Watch the time until the block is left.

        Raises:
            SourceUnreachable: the engine was interrupted because time was over.
        """
        self._watch.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._watch.join()

    @contextmanager
    def over_engine(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt what this connection runs when time is over."""
        import duckdb
        import pyarrow as pa

        with self.running():
            self._engine = connection
            try:
                yield
            except (duckdb.InterruptException, pa.ArrowException, OSError):
                self.demand()
                raise

    def demand(self) -> None:
        """Fail where the time is over.

        Raises:
            SourceUnreachable: it took longer than the source's ``timeout``.
        """
        if self.over.is_set():
            raise self.failure()

    @property
    def remaining(self) -> float:
        """How many seconds are left; less than 0 when time is over."""
        return self._began_at + allowed(self.asked.source.timeout) - time.monotonic()

    def failure(self) -> SourceUnreachable:
        """That reading took too long, and what helps."""
        asked = self.asked
        return asked.unreachable(
            f"Source {asked.name} took longer to read than its timeout of {asked.source.timeout}.",
            "Give `timeout` more time, or name fewer or smaller files.",
        )

    def _wait(self) -> None:
        """An interruption between two statements is forgotten: it is repeated until somebody ends."""
        if self._ended.wait(allowed(self.asked.source.timeout)):
            return
        self.over.set()
        while not self._ended.wait(_AGAIN_SECONDS):
            if self._engine is not None:
                self._engine.interrupt()
