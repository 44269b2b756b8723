"""The least that can answer at a deadline: what comes later here is this machine's noise, and none of ours.

``python -m tests.promises.bare PORT``: waits as long as a model may be waited for, then says hello.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import uvicorn

from pilotage.decisions.answering.deadlines import deadline, patience_of

_HELLO = b'{"action": "hello", "produced_by": "rule", "reason": "hello"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_HELLO)).encode())]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Plain ASGI: the body is read, the time is waited for."""
    began = time.perf_counter()
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    patience_ms = patience_of(scope["headers"])
    if patience_ms is not None:
        await asyncio.sleep(max(0.0, deadline(began, patience_ms).left_to_score()))
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _HELLO})


if __name__ == "__main__":
    uvicorn.run(hello, port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="warning")
