"""Questions that come while a worker has all it can take: refused before anything of them is parsed.

Whatever is spent on a refusal is missing for an answer: parsed and handed on as a request, one costs a fifth of an
answer. So a whole, plain question is looked at as the bytes it came as; every other request goes the usual way.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from functools import lru_cache

from pilotage.platform import requests
from pilotage.platform.errors import Unavailable
from pilotage.platform.problems import problem_details

BEGIN = b"POST /v1/"
"""How every question begins; looked at before anything else of what comes."""

_QUESTION = re.compile(rb"POST (/v1/use-cases/[a-z][a-z0-9_]{0,62}/decisions) HTTP/1\.1")
_LENGTH = re.compile(rb" ?[0-9]{1,7}")
_KEPT = b" keep-alive"
_END = b"\r\n\r\n"
_HEAD_BYTES_MAX = 2048
"""Heads of questions are shorter; one that is not goes the usual way, and so many bytes at most are remembered."""
_PLAIN = frozenset(
    (
        *(b"host", b"content-length", b"content-type", b"connection", b"authorization", b"x-api-key"),
        *(b"accept", b"accept-encoding", b"accept-language", b"user-agent", b"idempotency-key"),
        *(b"x-request-timeout-ms", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"),
    )
)
"""Headers of which none asks for more than a refusal: others do, or could be read in two ways."""


class Sheds(ABC):
    """An application that can say without a request that it is full."""

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """Whether there is no place for a question now."""

    @abstractmethod
    def comes(self) -> None:
        """What may be a question is on its way to a place: it has one when the event loop turns next."""

    @abstractmethod
    def turned_away(self, path: str) -> bytes:
        """The whole reply to such a question; it is counted."""


def path_of(data: bytes) -> str | None:
    """Where a question is sent, if these bytes are one, whole and nothing else; None for everything else."""
    end = data.find(_END) + len(_END)
    if not len(_END) <= end <= _HEAD_BYTES_MAX:
        return None
    asked = _asked(data[:end])
    return asked[0] if asked is not None and len(data) == end + asked[1] else None


@lru_cache(maxsize=1024)
def _asked(head: bytes) -> tuple[str, int] | None:
    """Of a head where its question is sent, and how long the body is. An app's heads are mostly the same."""
    first, *lines = head[: -len(_END)].split(b"\r\n")
    begin = _QUESTION.fullmatch(first)
    if begin is None:
        return None
    fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value
    if len(fields) != len(lines) or b"host" not in fields or not fields.keys() <= _PLAIN:
        return None
    length = fields.get(b"content-length", b"")
    if _LENGTH.fullmatch(length) is None or fields.get(b"connection", _KEPT).lower() != _KEPT:
        return None
    return begin[1].decode(), int(length)


def refusal(error: Unavailable, path: str, identifier: str) -> bytes:
    """The whole reply: problem details (RFC 9457), and the request's identifier as every reply has one."""
    head, body = _parts(error, path)
    return b"%s%s\r\n\r\n%s" % (head, identifier.encode(), body)


@lru_cache(maxsize=256)
def _parts(error: Unavailable, path: str) -> tuple[bytes, bytes]:
    """What is before the identifier, and after it."""
    body = problem_details(error, path)
    head = (
        b"HTTP/1.1 %d Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\n"
        b"retry-after: %d\r\n%s: " % (error.status, len(body), error.retry_after, requests.HEADER)
    )
    return head, body
