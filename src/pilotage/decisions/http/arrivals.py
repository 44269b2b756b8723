"""Bodies of requests. Nearly all come with their heads; of those that are still coming each caller may have so many at
once, so that who dribbles takes only their own places.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

from pilotage.decisions.http.exchange import Message, Receive
from pilotage.platform.errors import TooLarge, TooSlow, Unavailable

BODY_SECONDS = 10


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Within, a body is waited for as long as it may take to come.

    Raises:
        TooSlow: it did not come whole in time.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError:
        raise TooSlow(
            f"The body did not come whole within {BODY_SECONDS} seconds.", "Send it with the headers."
        ) from None


class Arrivals:
    """One process's bodies that have not come whole, counted by caller."""

    def __init__(self, at_once_max: int, bytes_max: int, repair: str = "Send one decision per request.") -> None:
        self._at_once_max = at_once_max
        self._bytes_max = bytes_max
        self._repair = repair
        self._coming: Counter[str] = Counter()

    async def read(self, receive: Receive, caller: str) -> bytes:
        """The whole body, which must come in seconds: a caller that dribbles holds nobody's place.

        Raises:
            Unavailable: so many bodies of this caller are still coming.
            TooLarge: it is larger than allowed; what follows is not read.
            TooSlow: it did not come whole in time.
        """
        first = _begun(receive)
        if not isinstance(first, _Begun) and not first.get("more_body"):
            whole = bytes(first.get("body", b""))
            self._demand_small(len(whole))
            return whole
        if self._coming[caller] >= self._at_once_max:
            if isinstance(first, _Begun):
                first.close()
            raise Unavailable(
                f"{self._at_once_max} requests of this key have not come whole yet.", "Send each body with its headers."
            )
        self._coming[caller] += 1
        try:
            async with in_time():
                return await self._in_parts(await first if isinstance(first, _Begun) else first, receive)
        finally:
            self._coming[caller] -= 1
            if not self._coming[caller]:
                del self._coming[caller]

    async def _in_parts(self, message: Message, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            part = bytes(message.get("body", b""))
            size += len(part)
            self._demand_small(size)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)
            message = await receive()

    def _demand_small(self, size: int) -> None:
        if size > self._bytes_max:
            raise TooLarge(f"The body has more than {self._bytes_max:,} bytes.", self._repair)


class _Begun:
    """Something awaited that did not end at once: ``first`` is the future that it waits for."""

    def __init__(self, first: Any, rest: Generator[Any, Any, Message]) -> None:
        self._first, self._rest = first, rest

    def __await__(self) -> Generator[Any, Any, Message]:
        try:
            yield self._first
        except BaseException:
            self._rest.close()
            raise
        return (yield from self._rest)

    def close(self) -> None:
        """It is not awaited any more."""
        self._rest.close()


def _begun(receive: Receive) -> Message | _Begun:
    """The next message, where it is there already; nearly every body comes with its head, and needs no timer."""
    rest = receive().__await__()
    try:
        return _Begun(next(rest), rest)
    except StopIteration as ended:
        message: Message = ended.value
        return message
