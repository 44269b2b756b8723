"""Questions that came whole and are plain: read at once, and answered in one piece.

Most questions are alike: one head that an app's client always sends, and a body with it. A parser that calls back for
each header, and an answer in two messages, cost a quarter of what it costs to decide. So a whole, plain question is
read as the bytes it came as, and its head remembered; everything else goes through the parser. Both ways lead to the
same application, and it cannot tell one from the other.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

BEGIN = b"POST /v1/"
"""How every question begins; looked at before anything else of what comes."""

_QUESTION = re.compile(rb"POST (/v1/use-cases/[a-z][a-z0-9_]{0,62}/decisions) HTTP/1\.1")
_LENGTH = re.compile(rb"[0-9]{1,7}")
_PRINTED = re.compile(rb"[\x20-\x7e]*")
_KEPT = b"keep-alive"
_END = b"\r\n\r\n"
_HEAD_BYTES_MAX = 2048
"""Heads of questions are shorter; one that is not goes the usual way."""
_REMEMBERED_MAX = 1024
"""Heads; an app's differ in the lengths of its bodies."""
_OF_ONE = frozenset((b"idempotency-key", b"x-request-id", b"x-request-timeout-ms", b"traceparent", b"tracestate"))
"""Headers that say something of one request: what has them is not remembered for others."""
_PLAIN = _OF_ONE.union(
    (
        *(b"host", b"content-length", b"content-type", b"connection", b"authorization", b"x-api-key"),
        *(b"accept", b"accept-encoding", b"accept-language", b"user-agent"),
        *(b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"),
        b"sec-fetch-mode",
    )
)
"""Headers of which none asks more of a server than an answer: others do, or could be read in two ways."""


class _Nobody:
    """An event that nobody waits for."""

    def set(self) -> None:
        """There is nothing to do."""


_NOBODY_WAITS = _Nobody()

Headers = tuple[tuple[bytes, bytes], ...]


class Head(NamedTuple):
    """Where a question is sent, and its headers (names in lower case).

    ``begin`` is the head as it came, and ``whole`` how many bytes it has together with its body; ``request`` is the
    identifier that the caller gave to the request.
    """

    path: str
    headers: Headers
    request: bytes | None
    begin: bytes
    whole: int


NONE = Head("", (), None, b"", -1)
"""Of no question."""

_remembered: dict[bytes, Head] = {}


def head_of(data: bytes, before: Head = NONE) -> Head | None:
    """The head of a question, if these bytes are one, whole and nothing else; None for all others. The next one mostly
    begins as the one ``before`` did.
    """
    if len(data) == before.whole and data.startswith(before.begin):
        return before
    end = data.find(_END) + len(_END)
    if not len(_END) <= end <= _HEAD_BYTES_MAX:
        return None
    begin = data[:end]
    head = _remembered.get(begin)
    if head is None:
        head = _read(begin)
        if head is None:
            return None
    return head if len(data) == head.whole else None


def _read(begin: bytes) -> Head | None:
    """What these bytes say; remembered where more questions may begin with the very same."""
    first, *lines = begin[: -len(_END)].split(b"\r\n")
    asked = _QUESTION.fullmatch(first)
    if asked is None:
        return None
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        headers.append((name.lower(), value.lstrip(b" ")))
        if not colon or _PRINTED.fullmatch(line) is None:
            return None
    fields = dict(headers)
    if len(fields) != len(headers) or b"host" not in fields or not fields.keys() <= _PLAIN:
        return None
    length = fields.get(b"content-length", b"")
    if _LENGTH.fullmatch(length) is None or fields.get(b"connection", _KEPT).lower() != _KEPT:
        return None
    request, whole = fields.get(b"x-request-id"), len(begin) + int(length)
    head = Head(asked[1].decode(), tuple(headers), request, begin, whole)
    if fields.keys().isdisjoint(_OF_ONE):
        if len(_remembered) >= _REMEMBERED_MAX:
            _remembered.clear()
        _remembered[begin] = head
    return head


class Cycle(RequestResponseCycle):
    """A plain question in work, as uvicorn has one of every request: its whole body is there, its answer is one piece.

    ``done`` is called when the answer is sent and the connection stays open.
    """

    def __init__(
        self,
        about: Mapping[str, Any],
        head: Head,
        body: bytes,
        flow: FlowControl,
        transport: Any,
        default_headers: list[tuple[bytes, bytes]],
        logger: logging.Logger,
        done: Callable[[], None],
    ) -> None:
        asked = {"path": head.path, "raw_path": head.path.encode(), "headers": list(head.headers)}
        super().__init__(
            scope={**about, **asked, "state": about["state"].copy()},  # type: ignore[typeddict-item]
            transport=transport,
            flow=flow,
            logger=logger,
            access_logger=logger,
            access_log=False,
            default_headers=default_headers,
            message_event=_NOBODY_WAITS,  # type: ignore[arg-type]
            expect_100_continue=False,
            keep_alive=True,
            on_response=done,
        )
        self.body = body  # type: ignore[assignment]
        self._begun: Any = None

    async def receive(self) -> Any:
        """The body; after it there is only the end, of the answer or of the connection."""
        if not self.more_body and not self._is_over():
            self.message_event = asyncio.Event()
            await self.message_event.wait()
        if self._is_over():
            return {"type": "http.disconnect"}
        self.more_body = False
        body, self.body = self.body, b""  # type: ignore[assignment]
        return {"type": "http.request", "body": body, "more_body": False}

    def _is_over(self) -> bool:
        return self.disconnected or self.response_complete

    async def send(self, message: Any) -> None:
        """Keep the beginning until the body is there, then write both."""
        if not self.response_started:
            self._begun, self.response_started = message, True
            return
        if self.response_complete or message.get("more_body"):
            raise RuntimeError("An answer to a plain question is one piece.")
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        begin, stays = _beginning(self._begun["status"], tuple(self.default_headers), self.keep_alive)
        lines, body = [begin], message["body"]
        for name, value in self._begun["headers"]:
            if HEADER_VALUE_RE.search(value) or (name == b"content-length" and int(value) != len(body)):
                raise RuntimeError(f"The header {name.decode()} of an answer is not right.")
            lines += (name, b": ", value, b"\r\n")
            stays = stays and name != b"connection"
        lines += (b"\r\n", body)
        self.transport.write(b"".join(lines))
        self.response_complete = True
        self.body, self._begun = b"", None  # type: ignore[assignment]  # a connection that idles keeps neither
        self.message_event.set()
        self.keep_alive = stays
        if not stays:
            self.transport.close()
        self.on_response()


@lru_cache(maxsize=64)
def _beginning(status: int, headers: Headers, keep_alive: bool) -> tuple[bytes, bool]:
    """The status line and the headers that every answer has, and whether the connection stays open after it."""
    lines = [STATUS_LINE[status]]
    lines += (b"%s: %s\r\n" % each for each in headers)
    closes = (b"connection", b"close") in headers
    if not keep_alive and not closes:
        lines.append(b"connection: close\r\n")
    return b"".join(lines), keep_alive and not closes
