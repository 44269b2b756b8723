"""Applications without a web: their process dies soon after it answers, or before; hangs; or lasts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from pilotage.platform.errors import DatabaseUnavailable


class Bare:
    """Starts, and a moment later something happens to its process."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens

    def drain(self) -> None:
        """Nothing to tell."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        asyncio.get_running_loop().call_later(0.3, self._happens)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


def soon() -> Bare:
    """Dies when it is ready."""
    return Bare(lambda: os._exit(1))


def hanging() -> Bare:
    """Its event loop turns no more."""
    return Bare(lambda: time.sleep(600))


def lasting() -> Bare:
    """Nothing happens to it."""
    return Bare(lambda: None)


def without_database() -> Bare:
    """Its control database is away."""
    raise DatabaseUnavailable("The control database does not answer.")


def at_once() -> Bare:
    """Never gets ready."""
    raise RuntimeError("This one cannot be built.")
