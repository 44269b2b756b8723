"""What a column's name says of when it is filled: later than its row, perhaps never, or long before as a plan."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_REWRITTEN = frozenset({"updated", "modified", "changed", "edited", "refreshed", "touched", "update", "modification"})
_ENDING = frozenset(
    {
        "deleted", "deletion", "removed", "removal", "closed", "closing", "cancelled", "canceled", "cancellation",
        "resolved", "resolution", "completed", "completion", "finished", "ended", "returned", "return", "refunded",
        "archived", "expired", "terminated", "termination", "churned", "left", "died", "death", "deceased", "rejected",
        "revoked", "released", "discharged", "reopened", "escalated", "suspended", "disabled", "deactivated", "merged",
        "superseded", "replaced", "disposed", "unsubscribed", "withdrawn",
    }
)  # fmt: skip
_PLANNED = frozenset(
    {
        "due", "planned", "plan", "scheduled", "schedule", "sched", "expected", "estimated", "eta", "etd", "promised",
        "deadline", "target", "expires", "expiry", "expiration", "until", "valid", "forecast", "booked", "reserved",
        "appointment", "checkin", "checkout", "requested", "proposed", "next", "maturity", "renewal", "effective",
    }
)  # fmt: skip


def is_rewritten(column: str) -> bool:
    """Whether it says when its row was written over: after all else, and by right."""
    return not _REWRITTEN.isdisjoint(_words(column))


def is_ending(column: str) -> bool:
    """Whether it tells of an end that most rows have not met: empty then means that it has not happened."""
    return not _ENDING.isdisjoint(_words(column))


def is_planned(column: str) -> bool:
    """Whether it is a plan: written down before, about a time after."""
    return not _PLANNED.isdisjoint(_words(column))


def _words(column: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(column)]
