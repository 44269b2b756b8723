"""What people may say about a decision, and when it needs a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args
from urllib.parse import urlsplit

from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed, PilotageError, Problem
from pilotage.review.records import Feedback, FeedbackKind

ACTIONS = ("useful", "wrong", "override", "escalate", "accept")
REASON_CHARACTERS_MAX = 2000
_NEEDS_REASON = frozenset({"override", "escalate"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check(kind: str, reason: str) -> FeedbackKind:
    """The kind, when the feedback says what it must.

    Raises:
        InvalidRequest: an unknown kind, a missing reason, or one too long.
    """
    problems = []
    if kind not in get_args(FeedbackKind):
        problems.append(Problem("kind", f"must be one of {', '.join(get_args(FeedbackKind))} (got {kind!r})."))
    if kind in _NEEDS_REASON and not reason.strip():
        problems.append(Problem("reason", f"must say why, for {kind}."))
    if len(reason) > REASON_CHARACTERS_MAX:
        problems.append(Problem("reason", f"must be at most {REASON_CHARACTERS_MAX} characters (got {len(reason)})."))
    if problems:
        raise InvalidRequest("The feedback does not fit.", problems=problems)
    return kind  # type: ignore[return-value]  # one of its values, checked above


def check_actions(actions: Sequence[str]) -> tuple[str, ...]:
    """The actions that a card token shall carry, each once.

    Raises:
        InvalidRequest: one of them does not exist.
    """
    unknown = sorted(set(actions) - set(ACTIONS))
    if unknown:
        problem = Problem("actions", f"must be among {', '.join(ACTIONS)} (got {', '.join(unknown)}).")
        raise InvalidRequest("The actions do not fit.", problems=[problem])
    return tuple(action for action in ACTIONS if action in actions)


def why_not_taken_back(given: Feedback, person: str, now: datetime, seconds: int) -> PilotageError | None:
    """Why this person may not take this back now; None where they may, for so many seconds after they said it."""
    if given.person != person:
        return NotAllowed("Somebody else said this.", "Everybody takes back what they said themselves.")
    if given.undone_at is not None:
        return taken_back_already(given)
    if now > given.at + timedelta(seconds=seconds):
        return Conflict(f"This can be taken back for {seconds} seconds only.", "Say what is right now.")
    return None


def taken_back_already(given: Feedback) -> Conflict:
    """Somebody was faster, or sent it twice."""
    return Conflict(f"Feedback {given.id} was taken back already.", "Say what is right now.")


def exposure_id(decision: str, person: str) -> str:
    """The identifier of 'shown': the same for the same decision and person, so that it is kept once."""
    digest = hashlib.sha256(f"{decision}\n{person}".encode()).hexdigest()
    return f"fbk_{digest[:40]}"


def check_origin(origin: str) -> str:
    """A web origin (RFC 6454): scheme, host and port, nothing more; plain HTTP only on this machine.

    Raises:
        InvalidRequest: it is not one.
    """
    problem = _origin_problem(origin)
    if problem:
        raise InvalidRequest("The origin does not fit.", problems=[Problem("origin", problem)])
    return origin


def _origin_problem(origin: str) -> str:
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return f"must be a web origin such as https://app.example (got {origin!r})."
    is_whole = f"{parts.scheme}://{parts.netloc}" == origin and "*" not in origin
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_whole:
        return f"must be a web origin such as https://app.example (got {origin!r})."
    if parts.username is not None or parts.password is not None or origin != origin.lower():
        return "must be lower case and carry no name or password."
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        return f"must use https, except on this machine (got {origin!r})."
    return ""
