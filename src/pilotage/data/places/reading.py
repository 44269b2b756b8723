"""A reader of live values: threads that each own a read-only connection, a bounded wait, a reason for what is missing.

The caller waits for its budget and no longer, whatever the database, the network or the driver do meanwhile. What was
read may be used again for as long as the use case allows. Threads end, and their connections are closed, when the
reader is no longer used.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import structlog
from cachetools import TTLCache
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from pilotage.platform.errors import PilotageError
from pilotage.platform.instants import as_utc
from pilotage.usecase.rules.expressions import ExpressionError

Reason = Literal["too_slow", "unreachable", "too_old"]
_THREADS = 4
_WAITING_MAX = 64
_RETRY_SECONDS = 5.0
_WARM_SECONDS = 5.0
_KEYS_MAX = 10_000
"""Keys whose values are remembered, of each reader; those that were not asked for longest go."""
_FAILURES = (
    PilotageError,
    ExpressionError,
    SQLAlchemyError,
    OSError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)
"""Whatever else a source may bring about, such as a column whose type has changed, costs values and no answer."""

log = structlog.get_logger()


class Read(Struct, frozen=True):
    """Values by column, and why others are missing: too_slow, unreachable or too_old."""

    values: dict[str, Any]
    missing: dict[str, Reason] = {}


class Reuse:
    """What was read lately, by key: good for moments that are no earlier, and at most an age later."""

    def __init__(self, by: Sequence[str], age_seconds: float) -> None:
        self._by = tuple(by)
        self._age = timedelta(seconds=age_seconds)
        self._found: TTLCache[tuple[Any, ...], tuple[datetime, Read]] = TTLCache(_KEYS_MAX, age_seconds)
        self._lock = threading.Lock()

    def find(self, request: Mapping[str, Any], moment: datetime) -> Read | None:
        """What was read for this key; None where it has to be asked."""
        with self._lock:
            as_of, read = self._found.get(self._key(request), (None, None))
        if as_of is None or not timedelta() <= as_utc(moment) - as_of <= self._age:
            return None
        return read

    def keep(self, request: Mapping[str, Any], moment: datetime, read: Read) -> None:
        """Remember it, unless what is remembered is of a later moment."""
        key, as_of = self._key(request), as_utc(moment)
        with self._lock:
            newest = self._found.get(key)
            if newest is None or newest[0] <= as_of:
                self._found[key] = as_of, read

    def _key(self, request: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(request.get(name) for name in self._by)


class Session(Protocol):
    """An open connection with its questions prepared; used by one thread."""

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read:
        """The values of the columns for a request as of a moment."""

    def close(self) -> None:
        """Let go of the connection."""


class Reader:
    """Columns that one database answers. ``opened`` makes a session; ``errors`` are what its driver raises. With
    ``reuse``, a key that was asked for lately is not asked for again.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[str],
        opened: Callable[[], Session],
        errors: tuple[type[Exception], ...],
        wait_seconds: float,
        reuse: Reuse | None = None,
    ) -> None:
        self.name = name
        self._reuse = reuse
        self.columns = tuple(columns)
        self.wait_seconds = wait_seconds
        self._workers = _Workers(name, opened, errors)
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix=f"live {name}")
        self._waiting = threading.Semaphore(_WAITING_MAX)

    def warm(self) -> None:
        """Open all connections, so that the first answers need not; waits a few seconds at most."""
        together = threading.Barrier(_THREADS)
        opening = [self._threads.submit(self._workers.open, together) for _ in range(_THREADS)]
        concurrent.futures.wait(opening, _WARM_SECONDS)

    def read(self, request: Mapping[str, Any], moment: datetime) -> Read:
        """The values, within the budget; never raises for what a database does."""
        return self.begin(request, moment)(self.wait_seconds)

    def begin(self, request: Mapping[str, Any], moment: datetime) -> Callable[[float], Read]:
        """Start reading; what comes back waits so many seconds for the values, and no longer than the budget."""
        known = self._reuse.find(request, moment) if self._reuse is not None else None
        if known is not None:
            return lambda seconds: known
        if not self._waiting.acquire(blocking=False):
            return lambda seconds: self._nothing("too_slow")
        future = self._threads.submit(self._asked, dict(request), moment)
        future.add_done_callback(lambda _: self._waiting.release())
        return lambda seconds: self._ended(future, min(seconds, self.wait_seconds))

    def _asked(self, request: Mapping[str, Any], moment: datetime) -> Read | None:
        """In a thread of its own; what comes too late for its question is there for the next."""
        read = self._workers.ask(request, moment)
        if read is not None and self._reuse is not None:
            self._reuse.keep(request, moment, read)
        return read

    def _ended(self, future: concurrent.futures.Future[Read | None], seconds: float) -> Read:
        try:
            read = future.result(max(seconds, 0.0))
        except TimeoutError:
            future.cancel()
            return self._nothing("too_slow")
        return read if read is not None else self._nothing("unreachable")

    def _nothing(self, reason: Reason) -> Read:
        return Read(dict.fromkeys(self.columns), dict.fromkeys(self.columns, reason))


class _Workers:
    """What the threads of a reader share, apart from it: a reader that nobody uses can go while they wait."""

    def __init__(self, name: str, opened: Callable[[], Session], errors: tuple[type[Exception], ...]) -> None:
        self._name = name
        self._opened = opened
        self._errors: tuple[type[Exception], ...] = (*errors, *_FAILURES)
        self._own = threading.local()
        self._retry_at = 0.0

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read | None:
        """None where the database does not answer; after that it is left alone for a few seconds."""
        held = self._held()
        if held is None:
            return None
        try:
            return held.session.ask(request, moment)
        except self._errors as error:
            self._own.held = None
            self._log(error)
            return None

    def open(self, together: threading.Barrier) -> None:
        """Open this thread's session once every other thread is about to."""
        try:
            together.wait(_WARM_SECONDS)
        except threading.BrokenBarrierError:
            return
        self._held()

    def _held(self) -> _Held | None:
        held: _Held | None = getattr(self._own, "held", None)
        if held is None and time.monotonic() >= self._retry_at:
            try:
                held = self._own.held = _Held(self._opened())
            except self._errors as error:
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                self._log(error)
        return held

    def _log(self, error: Exception) -> None:
        said = error.message if isinstance(error, PilotageError) else type(error).__name__
        log.warning("live_columns_not_read", place=self._name, error=said)


class _Held:
    """A session that is closed when its thread ends or lets it go."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __del__(self) -> None:
        self.session.close()
