"""The body of a request to one of the protocols: whole, in time, and as it is."""

from __future__ import annotations

from typing import Any

from litestar import Request

from pilotage.decisions.http.arrivals import in_time
from pilotage.platform.errors import WrongMediaType


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """All bytes of the body; Litestar bounds how many.

    Raises:
        WrongMediaType: it is compressed, and a small one could become an endless one.
        TooSlow: it did not come whole in time.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() not in ("identity", ""):
        raise WrongMediaType("The body is compressed, which is not read here.", "Send it without Content-Encoding.")
    async with in_time():
        return await request.body()
