"""The body of a request to one of the protocols: whole, in time, and as it is."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request

from pilotage.platform.errors import TooSlow, WrongMediaType

BODY_SECONDS = 10


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """All bytes of the body; Litestar bounds how many.

    Raises:
        WrongMediaType: it is compressed, and a small one could become an endless one.
        TooSlow: it did not come whole in time.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() not in ("identity", ""):
        raise WrongMediaType("The body is compressed, which is not read here.", "Send it without Content-Encoding.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise TooSlow(
            f"The body did not come whole within {BODY_SECONDS} seconds.", "Send it with the headers."
        ) from None
