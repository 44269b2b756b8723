"""The connections of the client that waits, and the threads in which it waits for them.

A socket's time-out bounds one step: not the look-up of a name, nor an answer that comes byte by byte, nor several
addresses tried in turn. So each request runs in a thread, and its caller waits no longer than it has. A thread that is
overrun ends by the time-outs of its own steps.
"""

from __future__ import annotations

import contextvars
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from pilotage.client.exchange import Lost, Reply
from pilotage.client.losing import lost
from pilotage.client.records import BECAUSE
from pilotage.client.resilience import Clock

THREADS_MAX = 128


class Patience(dict[str, float]):
    """Time-outs of one request as the transport reads them, step by step: each step may take what is left by then."""

    def __init__(self, due: float, clock: Clock) -> None:
        super().__init__()
        self._due, self._clock = due, clock

    def left(self) -> float:
        """Seconds until the answer is due; negative when that has passed."""
        return self._due - self._clock()

    def get(self, key: str, default: Any = None, /) -> float:
        """The time-out, in seconds, of a step that begins now."""
        return max(0.001, self.left())


class Hands:
    """Connections and threads of one process. Connections that were brought along are not closed."""

    def __init__(self, brought: httpx.Client | None) -> None:
        self.pid = os.getpid()
        self._owned = brought is None
        self._http = brought or httpx.Client()
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="pilotage-client")

    def send(
        self, method: str, address: str, body: bytes | None, headers: dict[str, str], patience: Patience
    ) -> Reply | Lost:
        """One request, answered whole within the time, or lost."""
        context = contextvars.copy_context()  # what traces requests finds its span there
        waiting = self._threads.submit(context.run, self._sent, method, address, body, headers, patience)
        try:
            return waiting.result(timeout=max(0.0, patience.left()))
        except TimeoutError:
            waiting.cancel()
            return Lost("timed_out", BECAUSE["timed_out"])

    def close(self) -> None:
        """End what is idle; what is overrun ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._owned:
            self._http.close()

    def _sent(
        self, method: str, address: str, body: bytes | None, headers: dict[str, str], patience: Patience
    ) -> Reply | Lost:
        request = self._http.build_request(
            method, address, content=body, headers=headers, extensions={"timeout": patience}
        )
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                parts = []
                for part in response.iter_bytes():
                    parts.append(part)
                    if patience.left() <= 0:
                        return Lost("timed_out", BECAUSE["timed_out"])
            finally:
                response.close()
        except httpx.RequestError as error:
            return lost(error)
        return Reply(response.status_code, response.headers, b"".join(parts))
