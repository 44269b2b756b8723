"""Threads for requests: those that control have their own, so that no page, upload or model keeps them waiting.

A handler that says ``control=True`` is run there, with the look-up of who asks.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from litestar.types import ASGIApp, Receive, Scope, Send

THREADS = 16
CONTROL_THREADS = 4
SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep the interpreter while others want it.

With Python's own 5 ms, two models that overrun hold up each step of a control request by 10 ms, and it has dozens.
"""

P = ParamSpec("P")
T = TypeVar("T")
_is_control: ContextVar[bool] = ContextVar("control", default=False)


class Lanes(ThreadPoolExecutor):
    """An event loop's default executor with a lane beside it for requests that control."""

    def __init__(self, threads: int = THREADS, control_threads: int = CONTROL_THREADS) -> None:
        super().__init__(threads, thread_name_prefix="requests")
        self._control = ThreadPoolExecutor(control_threads, thread_name_prefix="control")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run in the lane of the request at hand."""
        if _is_control.get():
            return self._control.submit(fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End both lanes."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        self._control.shutdown(wait, cancel_futures=cancel_futures)


def open_lanes() -> None:
    """Give the running event loop its lanes, and its process short turns."""
    asyncio.get_running_loop().set_default_executor(Lanes())
    sys.setswitchinterval(SWITCH_SECONDS)


class ChoosingLane:
    """Puts requests whose handler says so into the lane for control; comes before anything that needs a thread."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        handler: Any = scope.get("route_handler")
        if handler is None or not handler.opt.get("control"):
            await self.app(scope, receive, send)
            return
        token = _is_control.set(True)
        try:
            await self.app(scope, receive, send)
        finally:
            _is_control.reset(token)
