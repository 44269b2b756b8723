"""Problem details (RFC 9457): how an error leaves through HTTP."""

from __future__ import annotations

import msgspec

from pilotage.platform.errors import PilotageError
from pilotage.platform.requests import current

MEDIA_TYPE = "application/problem+json"


def problem_details(error: PilotageError, instance: str) -> bytes:
    """The JSON body of a problem: what was wrong, where, and what to do about it."""
    body = {
        "type": f"urn:pilotage:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": f"{error.message} {error.repair}".strip(),
        "instance": instance,
        "code": error.code,
        "problems": error.problems,
    }
    if (about := current.get()) is not None:
        body["request"] = about.id
    return msgspec.json.encode(body)
