"""Apps that ask a served process over connections they keep, and how long each answer took them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

GIVEN_UP_SECONDS = 10.0
"""An app that waits longer than this has no answer."""


@dataclass(frozen=True)
class Reply:
    """What came of one question; ``status`` is 0 where nothing came. ``seconds`` from the first byte sent to the last
    byte received."""

    status: int
    seconds: float
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = msgspec.json.decode(self.content)
        return found

    @property
    def is_usable(self) -> bool:
        """Whether an app can act on it: it says what to do and who says so."""
        if self.status != 200:
            return False
        said = self.json
        return said["produced_by"] in ("model", "rule", "default") and bool(said["action"])


class App:
    """One connection that is kept, as an app's pool keeps it; a lost one is opened again for the next question."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port = port
        self._always = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str, body: Mapping[str, Any] | bytes | None, headers: Mapping[str, str] = {}) -> Reply:
        """A POST, or a GET where there is no body. Never raises: what failed is a reply with status 0."""
        content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        head = {**self._always, **headers, "Content-Length": str(len(content))}
        lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", *(f"{key}: {head[key]}" for key in head)]
        request = "\r\n".join((*lines, "", "")).encode() + content
        began = time.perf_counter()
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
                began = time.perf_counter()
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                return await self._exchanged(request, began)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            return Reply(0, time.perf_counter() - began, {}, type(error).__name__.encode())

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _exchanged(self, request: bytes, began: float) -> Reply:
        assert self._reader is not None and self._writer is not None
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        told = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        content = await self._reader.readexactly(int(told.get("content-length", 0)))
        seconds = time.perf_counter() - began
        if told.get("connection", "").lower() == "close":
            self.close()
        return Reply(int(head[0].split()[1]), seconds, told, content)


@asynccontextmanager
async def apps(port: int, headers: Mapping[str, str], count: int) -> AsyncIterator[list[App]]:
    """So many apps with these headers."""
    made = [App(port, headers) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.close()


def ask_many(
    port: int,
    headers: Mapping[str, str],
    path: str,
    bodies: Iterable[Mapping[str, Any]],
    at_once: int,
    extra: Callable[[int], Mapping[str, str]] = lambda number: {},
) -> list[Reply]:
    """Every question once, so many at a time; replies in the order in which they came."""

    async def all_of_them() -> list[Reply]:
        left, replies = enumerate(bodies), []

        async def one(app: App) -> None:
            for number, body in left:
                replies.append(await app.ask(path, body, extra(number)))

        async with apps(port, headers, at_once) as made:
            await asyncio.gather(*(one(app) for app in made))
        return replies

    return asyncio.run(all_of_them())


def at_share(seconds: Iterable[float], share: float) -> float:
    """The smallest value that is at least as large as this share of all: a quantile that really occurred."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
