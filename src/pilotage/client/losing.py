"""What an error of a connection means: why nothing came back, and whether the service may have been told."""

from __future__ import annotations

import httpx

from pilotage.client.exchange import Lost
from pilotage.client.records import BECAUSE, GoneReason


def lost(error: httpx.RequestError) -> Lost:
    """What an error of the connection means."""
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    reason: GoneReason = "timed_out" if isinstance(error, httpx.TimeoutException) else "unreachable"
    if isinstance(error, httpx.DecodingError):
        reason = "unreadable"
    return Lost(reason, f"{BECAUSE[reason]} {type(error).__name__}: {error}".rstrip(": "), sent)
