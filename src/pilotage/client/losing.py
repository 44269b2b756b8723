"""What an error of a connection means: why nothing came back."""

from __future__ import annotations

import httpx

from pilotage.client.exchange import Lost
from pilotage.client.records import BECAUSE, GoneReason


def lost(error: httpx.RequestError) -> Lost:
    """What an error of the connection means."""
    reason: GoneReason = "timed_out" if isinstance(error, httpx.TimeoutException) else "unreachable"
    if isinstance(error, httpx.DecodingError):
        reason = "unreadable"
    return Lost(reason, f"{BECAUSE[reason]} {type(error).__name__}: {error}".rstrip(": "))
