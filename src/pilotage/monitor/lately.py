"""Readings for pages. Those of a large ledger take seconds: they are kept, and made anew beside, so nobody waits.

They are kept in the control database, too: whoever looks first after a start is shown the last one, with the instant at
which it was counted, and workers count once for all of them. What decides, such as a gate that is to open, reads the
ledger itself (:mod:`pilotage.monitor.flow`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from pilotage.monitor import flow, readings_store, store
from pilotage.monitor.readings_store import Stored
from pilotage.monitor.records import Day, Operation
from pilotage.platform import processes
from pilotage.platform.errors import PilotageError, StillCounting
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

KEPT_SECONDS, KEPT_TIMES = 60.0, 20
"""How old a reading of a large ledger may be before another is made: so long, and so many times as long as it took."""
SHOWN_TIMES = 3
"""So many times as old as that, as after a night in which nobody looked, the next one is waited for, but not long, and
only where the one before did not take longer."""
PATIENCE_SECONDS = 1.0
LARGE = 5_000
"""Decisions of an installation from which on readings are kept; with fewer, every page reads the ledger."""

Value = TypeVar("Value")
Key = tuple[str, ...]
Worth = tuple[tuple[Day, ...], tuple[float, float, float] | None]
log = structlog.get_logger()


class _Kept(Struct, frozen=True):
    """What was read, when, and how long that took; until when it is kept, and until when nobody waits for another, by a
    clock that never goes back.
    """

    value: Any
    until: float
    alone_until: float
    at: datetime | None = None
    seconds: float = 0.0


class _Shelf:
    """Where a reading lies in the control database, and of what type it is."""

    def __init__(self, work: Workspace, what: str, definition: Definition, version: str | None, kind: Any) -> None:
        self.work, self._kind = work, kind
        self._place = readings_store.Place(definition.name, what, version or "", version is not None)
        self._definition = definition.fingerprint

    def load(self) -> _Kept | None:
        """What lies there, of the same file; None where nothing does, or what this release cannot read."""
        with self.work.database.reading() as connection:
            found = readings_store.find(connection, self._place, self._definition)
        if found is None:
            return None
        try:
            value = msgspec.json.decode(found.body, type=self._kind)
        except msgspec.MsgspecError:
            return None
        age = (self.work.clock.now() - found.counted_at).total_seconds()
        return _made(value, found.seconds, max(0.0, age), found.counted_at)

    def save(self, value: Any, seconds: float, at: datetime) -> None:
        stored = Stored(self._definition, at, seconds, msgspec.json.encode(value))
        with self.work.database.writing() as connection:
            readings_store.keep(connection, self._place, stored)


_kept: dict[Key, _Kept] = {}
_being_read: dict[Key, threading.Event] = {}
_large: set[str] = set()
_lock = threading.Lock()
_anew: ContextVar[bool] = ContextVar("read anew", default=False)
_page_until: ContextVar[float | None] = ContextVar("until when a page waits", default=None)


def operation(work: Workspace, definition: Definition, version: str | None = None) -> Operation:
    """What :func:`pilotage.monitor.flow.operation` says; of a large ledger, as :func:`counted_at` said.

    Raises:
        StillCounting: a large ledger is read for the first time since this file was adopted.
    """
    shelf = _Shelf(work, "operation", definition, version, Operation)
    key = _key(work, "operation", definition, version)
    return reading(work, key, lambda: flow.operation(work, definition, version), shelf)


def worth(work: Workspace, definition: Definition, version: str | None = None) -> Worth:
    """What :func:`pilotage.monitor.flow.worth` says; of a large ledger, a while ago.

    Raises:
        StillCounting: as of :func:`operation`.
    """
    shelf = _Shelf(work, "worth", definition, version, Worth)
    key = _key(work, "worth", definition, version)
    return reading(work, key, lambda: flow.worth(work, definition, version), shelf)


def counted_at(work: Workspace, definition: Definition, version: str | None = None) -> datetime | None:
    """When the figures were counted that :func:`operation` says; None where it counts them each time."""
    kept = _kept.get(_key(work, "operation", definition, version))
    return None if kept is None else kept.at


@contextmanager
def anew() -> Iterator[None]:
    """Read the ledger for all that is asked within: for commands, which tell what is now and cannot be loaded again."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


@contextmanager
def page() -> Iterator[None]:
    """Wait for all that is asked within no longer than for one reading: a page shows several, of many use cases."""
    token = _page_until.set(time.monotonic() + PATIENCE_SECONDS)
    try:
        yield
    finally:
        _page_until.reset(token)


def reading(work: Workspace, key: Key, read: Callable[[], Value], shelf: _Shelf | None = None) -> Value:
    """What was read last, where the ledger is large.

    One that is old is made anew beside. Where there is none, or one that is very old and took no longer than people
    wait, those who ask wait for it a little, together.

    Raises:
        StillCounting: there is none, and that was not enough.
    """
    if _anew.get() or not is_large(work):
        return read()
    kept = _kept.get(key) or _fetched(key, shelf)
    now = time.monotonic()
    if kept is None or now > kept.until:
        being_read = read_beside(key, read, shelf)
        if kept is None or (now > kept.alone_until and kept.seconds < PATIENCE_SECONDS):
            being_read.wait(_patience_seconds())
            kept = _kept.get(key)
    if kept is None:
        raise StillCounting(
            "The decisions of this installation are many, and are being counted for the first time.",
            "Load this page again in some seconds. Nothing else waits for it.",
        )
    value: Value = kept.value
    return value


def _patience_seconds() -> float:
    until = _page_until.get()
    return PATIENCE_SECONDS if until is None else max(0.0, until - time.monotonic())


def known(key: Key) -> Any:
    """What was read last, None where nothing was yet."""
    kept = _kept.get(key)
    return None if kept is None else kept.value


def read_beside(key: Key, read: Callable[[], Any], shelf: _Shelf | None = None) -> threading.Event:
    """Make a reading in a thread of its own, unless one is being made; what is set when that has ended."""
    with _lock:
        if key in _being_read:
            return _being_read[key]
        ended = _being_read[key] = threading.Event()
    threading.Thread(target=_beside, args=(key, read, shelf), name="reading", daemon=True).start()
    return ended


def is_large(work: Workspace) -> bool:
    """Whether reading the whole ledger takes longer than people wait for a page."""
    url = str(work.database.url)
    if url not in _large:  # a ledger never gets smaller
        with work.database.reading() as connection:
            if not store.has_more_than(connection, LARGE):
                return False
        _large.add(url)
    return True


def _beside(key: Key, read: Callable[[], Any], shelf: _Shelf | None) -> None:
    processes.stand_back(processes.BEHIND)
    try:
        before = _kept.get(key)
        if not _is_younger(_fetched(key, shelf), before):
            read_now(key, read, shelf)
    except (SQLAlchemyError, PilotageError) as error:  # the reading before stays; the next page tries again
        log.warning("reading_failed", reading=key[1], error=type(error).__name__)
    finally:
        with _lock:
            _being_read.pop(key).set()


def read_now(key: Key, read: Callable[[], Value], shelf: _Shelf | None = None) -> Value:
    """Make a reading now, and keep it."""
    began, at = time.monotonic(), None if shelf is None else shelf.work.clock.now()
    value = read()
    seconds = time.monotonic() - began
    _kept[key] = _made(value, seconds, at=at)
    if shelf is not None and at is not None:
        shelf.save(value, seconds, at)
    return value


def _fetched(key: Key, shelf: _Shelf | None) -> _Kept | None:
    """What another worker or life counted last, kept here from now on unless what is here is younger."""
    found, here = None if shelf is None else shelf.load(), _kept.get(key)
    if found is not None and (here is None or _is_younger(found, here)):
        _kept[key] = found
    return found


def _is_younger(one: _Kept | None, other: _Kept | None) -> bool:
    """Whether one was counted after the other; what nobody dated is not older."""
    if one is None or other is None:
        return one is not None
    return one.at is not None and other.at is not None and one.at > other.at


def _made(value: Any, seconds: float, age: float = 0.0, at: datetime | None = None) -> _Kept:
    kept, now = max(KEPT_SECONDS, KEPT_TIMES * seconds), time.monotonic() - age
    return _Kept(value, now + kept, now + SHOWN_TIMES * kept, at, seconds)


def _key(work: Workspace, what: str, definition: Definition, version: str | None) -> Key:
    """A reading of another file or version is another reading."""
    return (str(work.database.url), what, definition.name, definition.fingerprint, str(version))
