"""A load: ``python -m tests.promises.loading PORT KEY PATH BODY RATE THINK_SECONDS SECONDS CONNECTIONS``.

With a rate, questions are due steadily, whatever becomes of those before (an open loop: coordinated omission cannot
hide what an overloaded server does). With rate 0 there are so many callers with a connection each: a caller asks again
``THINK_SECONDS`` after an answer, and after a refusal waits as long as ``Retry-After`` says, each give or take its own
half: callers are not of one mind.
Prints one line of JSON. Latencies are in milliseconds, from when a question was sent; ``unsent`` were due while every
connection was busy; ``lag`` is how late the load's own event loop looks at what came, for 99 of 100 looks.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import deque
from typing import Any

from tests.promises.asking import at_share

_TICK_SECONDS = 0.001
_HEAD_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection, one question at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._came = b""
        self._sent_at = 0.0
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self) -> None:
        self._sent_at = time.perf_counter()
        self.transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, body = self._came.partition(_HEAD_END)
        if not end:
            return
        head = head.lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._came = b""
            taken_ms = (time.perf_counter() - self._sent_at) * 1000
            self._load.answered(self, int(head[9:12]), taken_ms, _retry_after(head))

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost(self)


class Load:
    """What is asked, and what came of it."""

    def __init__(
        self, port: int, key: str, path: str, content: bytes, rate: float, think_seconds: float, connections: int
    ):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.request = head.encode() + content
        self._port, self._rate, self._connections = port, rate, connections
        self._think_seconds = think_seconds
        self._idle: deque[Connection] = deque()
        self._taken: dict[int, list[float]] = {}
        self._with_retry_after = self._unsent = self._lost = self._sent = 0
        self._lags: list[float] = []
        self._is_over = False
        self._chance = random.Random(connections)

    async def run(self, seconds: float) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for _ in range(self._connections):
            _, made = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
            self._idle.append(made)
        watching = asyncio.create_task(self._watch())
        began = time.perf_counter()
        if self._rate:
            await self._steadily(began, seconds)
        else:
            for number, made in enumerate(self._idle):
                loop.call_later(self._think_seconds * number / self._connections, self._send, made)
            self._idle.clear()
            await asyncio.sleep(seconds)
        taken = time.perf_counter() - began
        self._is_over = True
        await watching
        return self._counted(taken)

    def answered(self, made: Connection, status: int, taken_ms: float, retry_after: float | None) -> None:
        if self._is_over:
            return
        self._taken.setdefault(status, []).append(taken_ms)
        self._with_retry_after += retry_after is not None
        if self._rate:
            self._idle.append(made)
        elif wait := self._think_seconds if retry_after is None else 1.5 * retry_after:
            asyncio.get_running_loop().call_later(wait * self._chance.uniform(2 / 3, 4 / 3), self._send, made)
        else:
            self._send(made)

    def lost(self, made: Connection) -> None:
        if not self._is_over:
            self._lost += 1
            if made in self._idle:
                self._idle.remove(made)

    def _send(self, made: Connection) -> None:
        if self._is_over or made.transport.is_closing():
            return
        self._sent += 1
        made.ask()

    async def _watch(self) -> None:
        while not self._is_over:
            began = time.perf_counter()
            await asyncio.sleep(_TICK_SECONDS)
            self._lags.append((time.perf_counter() - began - _TICK_SECONDS) * 1000)

    async def _steadily(self, began: float, seconds: float) -> None:
        due = 0
        while (now := time.perf_counter() - began) < seconds:
            for _ in range(int(now * self._rate) - due):
                due += 1
                if self._idle:
                    self._send(self._idle.popleft())
                else:
                    self._unsent += 1
            await asyncio.sleep(_TICK_SECONDS)

    def _counted(self, seconds: float) -> dict[str, Any]:
        return {
            "seconds": seconds,
            "sent": self._sent,
            "unsent": self._unsent,
            "lost": self._lost,
            "with_retry_after": self._with_retry_after,
            "lag": at_share(self._lags, 0.99),
            "by_status": {
                status: {
                    "count": len(taken),
                    "p50": at_share(taken, 0.5),
                    "p99": at_share(taken, 0.99),
                    "max": max(taken),
                }
                for status, taken in self._taken.items()
            },
        }


def _retry_after(head: bytes) -> float | None:
    _, found, rest = head.partition(b"\r\nretry-after: ")
    return float(rest.partition(b"\r\n")[0]) if found else None


if __name__ == "__main__":
    port, key, path, body, rate, think_seconds, seconds, connections = sys.argv[1:]
    load = Load(int(port), key, path, body.encode(), float(rate), float(think_seconds), int(connections))
    print(json.dumps(asyncio.run(load.run(float(seconds)))))
