"""Questions that come while a worker has all it can take: refused before anything is done for them.

Whatever is spent on a refusal is missing for an answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

from pilotage.platform import requests
from pilotage.platform.errors import Unavailable
from pilotage.platform.problems import problem_details
from pilotage.web.plain import Head


class Sheds(ABC):
    """An application that can refuse a question before it is a request, where it is full."""

    @abstractmethod
    def refusal(self, head: Head) -> bytes | None:
        """The whole reply to a question for which there is no place, which is counted; None where it has one."""

    @abstractmethod
    def comes(self) -> None:
        """What may be a question is on its way to a place: it has one when the event loop turns next."""


class Refusing:
    """Refuses what comes in the rest of a turn of the event loop: no place becomes free in it, so it is asked for once,
    and what was refused is counted and told of once.
    """

    def __init__(self, error: Unavailable) -> None:
        self.error = error
        self.count = 0
        self.first = ""
        """The identifier of the first request."""

    def reply(self, head: Head) -> bytes:
        """The whole reply: problem details (RFC 9457), and the request's identifier as every reply has one."""
        request = requests.identifier(head.request)
        if not self.count:
            self.first = request
        self.count += 1
        begin, body = _parts(self.error, head.path)
        return b"".join((begin, request.encode(), b"\r\n\r\n", body))


@lru_cache(maxsize=256)
def _parts(error: Unavailable, path: str) -> tuple[bytes, bytes]:
    """What is before the identifier, and after it."""
    body = problem_details(error, path)
    head = (
        b"HTTP/1.1 %d Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\n"
        b"retry-after: %d\r\n%s: " % (error.status, len(body), error.retry_after, requests.HEADER)
    )
    return head, body
