"""A connection of one worker, bounded: in how long a request may take to come, in size, and in what may be unclear.

What does not come in time is answered with 408 and closed (compare mod_reqtimeout of Apache). What two programs in a
row could read differently is refused before anything reads it (RFC 9110, 5.3 and 7.2; RFC 9112, 3.2 and 6.1).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pilotage.web import plain
from pilotage.web.shedding import Sheds

HEAD_SECONDS = 10.0
"""From the first byte, or from the connection, to the end of the headers."""
BODY_SECONDS = 20.0
BODY_BYTES_PER_SECOND = 1_000
"""A body may take the seconds, and a second more for each so many bytes that came."""
READ_SECONDS = 60.0
"""A caller that reads nothing of an answer is let go after so long."""
HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100
CONNECTIONS_MAX = 2_048
"""Of one worker. One more takes the place of the one whose request takes longest to come."""
_ONCE = (
    b"host",
    b"authorization",
    b"x-api-key",
    b"content-length",
    b"content-type",
    b"content-encoding",
    b"transfer-encoding",
    b"idempotency-key",
    b"origin",
)
"""Headers that may come once: of two, a proxy may check the one and this program obey the other."""
_TOO_SLOW = b"408 Request Timeout", "The request did not come whole in time. Send it at once."
_TOO_LARGE = b"431 Request Header Fields Too Large", "The headers are too large. Send fewer or shorter ones."
_TOO_MANY = b"503 Service Unavailable", "There are too many connections. Try again in a second."


class Unclear(ValueError):
    """A head that can be read in two ways; the parser answers with 400."""


class Connection(HttpToolsProtocol):
    """Uvicorn's, that also bounds how long it waits: ``look`` is called every second or so.

    What the next bytes are, by ``due`` and ``_is_head``; whether an answer is in work is the cycle's to say::

                        first byte                 head is whole
          BETWEEN ────────────────────> HEAD ────────────────────────> BODY
          due None, or made and         due, _is_head,                 due, not _is_head
          nothing came (_head_bytes 0)  _head_bytes > 0                  │
             ^                                                           │
             └────────────────────── message is complete ────────────────┘

    An answer may be complete in BODY already, as 401 or 413 are: what comes then is still that request's. Only in
    BETWEEN, with no answer in work, do bytes begin a request, and only there may they be read without the parser.
    """

    __slots__ = ("_about", "_came", "_head", "_head_bytes", "_idle_since", "_is_head", "_sheds", "_unread", "due")
    """Beside uvicorn's attributes, which are nearly as many as Python keeps in an object itself (30): with ours among
    them each connection would have a table of its own, and a full worker looks at thousands a second.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.due: float | None = None
        self._head_bytes = 0
        """Of the head; of a body, since some of it came: sizes of chunks and trailers could go on without end, too."""
        self._is_head = True
        self._came = False
        self._unread: tuple[int, float] = (0, 0.0)
        self._sheds: Sheds | None = None
        self._idle_since = -math.inf
        self._about: dict[str, Any] = {}
        self._head = plain.NONE
        """Of the question before: an app's next one mostly begins the same."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, unless there are too many that do."""
        super().connection_made(transport)
        self._sheds = self.app if isinstance(self.app, Sheds) else None
        self._about = {"type": "http", "asgi": {"version": self.asgi_version, "spec_version": "2.3"}}
        self._about |= {"http_version": "1.1", "method": "POST", "query_string": b"", "root_path": self.root_path}
        self._about |= {"server": self.server, "client": self.client, "scheme": self.scheme, "state": self.app_state}
        self.due = self.loop.time() + HEAD_SECONDS
        if len(self.connections) > CONNECTIONS_MAX and not self._make_room():
            self.refuse(*_TOO_MANY)

    def data_received(self, data: bytes) -> None:
        """Read on; what follows an answer begins a request, and has its time."""
        if self._sheds is not None and data.startswith(plain.BEGIN):
            if self._is_at_rest() and (head := plain.head_of(data, self._head)) is not None:
                self.due, self._head = None, head
                if (refusal := self._sheds.refusal(head)) is not None:
                    self.transport.write(refusal)
                    self._idles()
                else:
                    self._answer(head, data[len(head.begin) :])
                return
            self._sheds.comes()
        if self.due is None and self._is_idle():
            self._expect()
        self._came = False
        super().data_received(data)
        if self.due is not None and not self.transport.is_closing():
            self._head_bytes = 0 if self._came and not self._is_head else self._head_bytes + len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.refuse(*_TOO_LARGE)

    def _answer(self, head: plain.Head, body: bytes) -> None:
        """Begin to answer a plain question."""
        self.cycle = cycle = plain.Cycle(
            self._about,
            head,
            body,
            self.flow,
            self.transport,
            self.server_state.default_headers,
            self.logger,
            self.on_response_complete,
        )
        task = self.loop.create_task(cycle.run_asgi(self.app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """A request has its answer: whatever came meanwhile is next, else the connection idles."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idles()

    def _idles(self) -> None:
        """Close the connection once it has idled as long as it may. Most never do: one timer serves many answers."""
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._keep(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that idled as long as it may; since the timer was set there may have been questions."""
        if self.transport.is_closing():
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if not self._is_idle():
            self._keep(self.timeout_keep_alive)
        elif left > 0:
            self._keep(left)
        else:
            super().timeout_keep_alive_handler()

    def _keep(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """However it ended: the timer is taken back, which would keep all of it."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def on_message_begin(self) -> None:
        """A request's first bytes."""
        super().on_message_begin()
        if self.due is None:
            self._expect()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head. What comes behind a body (RFC 9110, 6.5) is nothing that we know: it is left out."""
        if self._is_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: it must be clear, and the body has its time."""
        self._is_head, self._came = False, True
        demand_clear(self.headers, self.parser.get_http_version())
        self.due = self.loop.time() + BODY_SECONDS
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Each byte of a body gives the next ones more time."""
        self._came = True
        if self.due is not None:
            self.due += len(body) / BODY_BYTES_PER_SECOND
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Nothing is waited for any more; where the answer was given before, the connection idles from here on."""
        self.due = None
        super().on_message_complete()
        if self._is_idle() and not self.transport.is_closing():
            self._idles()

    def look(self, now: float) -> None:
        """Let go of a caller that has not sent in time, or does not read."""
        if self.due is not None and now > self.due and not self.transport.is_closing():
            self.refuse(*_TOO_SLOW)
            return
        size = self.transport.get_write_buffer_size()
        if not size or size != self._unread[0]:
            self._unread = (size, now)
        elif now > self._unread[1] + READ_SECONDS:
            self.transport.abort()

    def refuse(self, status: bytes, words: str) -> None:
        """Say why, where no answer has begun, and close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            said = words.encode()
            head = b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % (
                status,
                len(said),
            )
            self.transport.write(head + b"connection: close\r\n\r\n" + said)
        self.due = None
        self.transport.close()

    def _expect(self) -> None:
        self.due, self._is_head, self._head_bytes = self.loop.time() + HEAD_SECONDS, True, 0

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_at_rest(self) -> bool:
        """Whether no answer is in work or unread, and nothing of a request has come that has not come whole."""
        if not self._is_idle() or self.flow.write_paused or self.transport.is_closing():
            return False
        return self.due is None or (self._is_head and not self._head_bytes)

    def _make_room(self) -> bool:
        """Close the connection that has kept us waiting longest for the rest of its head; whether there was one."""
        slow = [each for each in self.connections if isinstance(each, Connection) and each._is_slow()]
        if slow:
            min(slow, key=lambda each: each.due or 0.0).refuse(*_TOO_SLOW)
        return bool(slow)

    def _is_slow(self) -> bool:
        waited = self.due is not None and self._is_head and self.due - self.loop.time() < HEAD_SECONDS - 1.0
        return waited and not self.transport.is_closing()


def demand_clear(headers: Iterable[tuple[bytes, bytes]], version: str) -> None:
    """Refuse heads of another protocol, that say one thing twice, or do not say for which host they are.

    Raises:
        Unclear: naming the header.
    """
    if version not in ("1.1", "1.0"):
        raise Unclear(f"HTTP/{version} is not spoken here.")
    names = [name for name, _ in headers]
    if len(names) > HEADERS_MAX:
        raise Unclear(f"{len(names)} headers; {HEADERS_MAX} is the limit.")
    if len(set(names)) != len(names):
        for name in _ONCE:
            if names.count(name) > 1:
                raise Unclear(f"The header {name.decode()} came twice.")
    if version == "1.1" and b"host" not in names:
        raise Unclear("The header host is missing.")


def look_at_all(connections: Iterable[Any], now: float) -> None:
    """Let go of callers that take too long."""
    for each in list(connections):
        if isinstance(each, Connection):
            each.look(now)
