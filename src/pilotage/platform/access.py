"""One JSON line per request on the error stream. Lines are collected and written by a thread: no request waits."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

import msgspec

from pilotage.platform.requests import Current

_FLUSH_SECONDS = 0.2
_LINES_MAX = 20_000
"""Lines that wait; where whoever reads them does not keep up, more are counted and not kept."""

_REFUSED_MAX = 100
"""Requests refused unread that have a line of their own, from one writing to the next: the first of a turn each."""

Waits = TypeVar("Waits")

_encode = msgspec.json.Encoder().encode


class Line(msgspec.Struct, omit_defaults=True):
    """What is written of a request. ``duration`` is in milliseconds; no payload, entity, address or key."""

    timestamp: str
    level: str
    event: str
    request: str
    method: str
    route: str
    status: int
    duration: float
    caller: str = ""
    use_case: str = ""
    decision: str = ""
    trace: str = ""


class _Refused(msgspec.Struct):
    """Requests that were refused unread and have no lines of their own: so many ``lines``."""

    timestamp: str
    method: str
    route: str
    status: int
    lines: int
    level: str = "error"
    event: str = "requests_refused"


class AccessLog:
    """Requests as lines; of those that succeeded, a share."""

    def __init__(self, share: float, write: Callable[[bytes], None] | None = None) -> None:
        """``share`` of the requests that succeeded is kept, in [0, 1]; those that failed all are."""
        self._share = share
        self._write = write or _to_error_stream
        self._lines: deque[bytes] = deque()
        self._dropped = self._refused = 0
        self._unsaid: deque[tuple[str, str, int, int]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._flush_forever, name="access log", daemon=True)
        self._thread.start()

    def add(self, about: Current, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. An access log that cannot keep up drops lines, and says how many."""
        if status < 400 and self._share < 1.0 and random.random() >= self._share:  # noqa: S311  no secret hangs on it
            return
        if len(self._lines) >= _LINES_MAX:
            self._dropped += 1
            return
        level = "info" if status < 400 else "warning" if status < 500 else "error"
        duration = round(seconds * 1000, 3)
        known = (about.caller, about.use_case, about.decision, about.trace)
        line = Line(_instant(time.time()), level, "request", about.id, method, route, status, duration, *known)
        self._lines.append(_encode(line) + b"\n")

    def add_refused(self, request: str, count: int, method: str, route: str, status: int) -> None:
        """So many requests were refused unread, the first of them with this identifier. When there are thousands a
        second, what their lines take is missing for answers, and nobody reads them: some have a line of their own, the
        others are counted in one.
        """
        others = count
        if self._refused < _REFUSED_MAX:
            self._refused += 1
            others -= 1
            self._add_first(request, method, route, status)
        if len(self._unsaid) >= _LINES_MAX:
            self._dropped += others
        elif others:
            self._unsaid.append((method, route, status, others))

    def _add_first(self, request: str, method: str, route: str, status: int) -> None:
        before, after = _around_request(method, route, status)
        self._lines.append(f'{{"timestamp":"{_instant(time.time())}{before}{request}{after}'.encode())

    def close(self) -> None:
        """Write what waits."""
        self._stopping.set()
        self._thread.join(timeout=2)

    def _flush_forever(self) -> None:
        while not self._stopping.wait(_FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        unsaid, lines, self._refused = _taken(self._unsaid), _taken(self._lines), 0
        told = Counter[tuple[str, str, int]]()
        for method, route, status, more in unsaid:
            told[method, route, status] += more
        count = told.total() + len(lines)
        for (method, route, status), more in told.items():
            lines.append(_encode(_Refused(_instant(time.time()), method, route, status, more)) + b"\n")
        if dropped := self._dropped:
            self._dropped = 0
            lines.append(_encode({"level": "warning", "event": "request_lines_dropped", "lines": dropped}) + b"\n")
        if not lines:
            return
        try:
            self._write(b"".join(lines))
        except (OSError, ValueError):  # nobody reads, the disk is full, or the stream is closed: it may be well again
            self._dropped += dropped + count


def _taken(waiting: deque[Waits]) -> list[Waits]:
    """What waits at this moment; what comes meanwhile stays for the next time."""
    return [waiting.popleft() for _ in range(len(waiting))]


@lru_cache(maxsize=64)
def _around_request(method: str, route: str, status: int) -> tuple[str, str]:
    """A line without its instant and the request's identifier: what stands between the two, and what follows."""
    line = _encode(Line("", "error", "request", "", method, route, status, 0.0)).decode()
    _, between, after = line.split('""', 2)
    return f'"{between}"', f'"{after}\n'


def _instant(seconds: float) -> str:
    """As structlog writes it; what is the same within a second is made once."""
    whole = int(seconds)
    if whole != _second[0]:
        _second[:] = [whole, datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")]
    return f"{_second[1]}.{int((seconds - whole) * 1_000_000):06d}Z"


_second: list[int | str] = [0, ""]


def _to_error_stream(content: bytes) -> None:
    sys.stderr.write(content.decode())
    sys.stderr.flush()
