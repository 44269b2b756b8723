"""The nouns of asking: what the service answers, and what an app falls back to where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from pilotage.client.errors import Refused

Said = bool | str | float
"""An answer, by the outcome's kind: yes or no, a category, a number."""
Request = Mapping[str, Any]
"""What an app knows about one case, by the names of the request's columns."""
GoneReason = Literal[
    "unreachable", "timed_out", "overloaded", "rate_limited", "in_flight", "server_error", "unreadable", "circuit_open"
]

BECAUSE: dict[GoneReason, str] = {
    "unreachable": "The service could not be reached.",
    "timed_out": "The service did not answer in the time that the call has.",
    "overloaded": "The service has too much to do.",
    "rate_limited": "The service was asked more often than this key may.",
    "in_flight": "An earlier attempt of this call is still being answered.",
    "server_error": "The service failed.",
    "unreadable": "What came back was not an answer of the service.",
    "circuit_open": "The service failed several times in a row and is left alone for a while.",
}


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answered question.

    ``produced_by`` is ``model``, ``rule`` or ``default`` (the service answered), ``fallback`` (this app's own rule did,
    because the service was gone) or ``none``: nobody decided, and that is never a yes. ``id`` is empty where nothing
    was recorded by the service. Probabilities lie in [0, 1]; ``low`` and ``high`` are the ends of a number's interval
    of 90 %. Fields that a newer service adds are left out.
    """

    id: str
    use_case: str
    action: str
    produced_by: str
    reason: str
    entity: str = ""
    because: str = ""
    stage: str = ""
    positive: bool | None = None
    answer: str | float | None = None
    probability: float | None = None
    band: str | None = None
    confidence: float | None = None
    shares: dict[str, float] = {}
    low: float | None = None
    high: float | None = None
    review: bool = False
    signals: tuple[dict[str, Any], ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def is_yes(self) -> bool:
        """Whether somebody decided, and decided yes."""
        return self.positive is True and self.produced_by != "none"


class LocalAnswer(Struct, frozen=True):
    """What the app's own rule says, and in words what is to be done."""

    said: Said
    action: str = ""


Fallback = Said | LocalAnswer | Callable[[Request], Said | LocalAnswer | None] | None
"""The app's own rule: an answer, or a function of the request. Without one, or where it says None, nobody decides."""


class Gone(Struct, frozen=True):
    """Why the service did not answer, and how often it was asked."""

    reason: GoneReason
    because: str
    attempts: int


class FellBack(Struct, frozen=True):
    """One answer that the service did not give. ``error`` is what the app's own rule raised, if it did."""

    use_case: str
    request: Request
    decision: Decision
    gone: Gone
    error: Exception | None = None


class BatchRow(Struct, frozen=True):
    """One row of a batch: a decision, or why this row was refused."""

    decision: Decision | None = None
    refused: Refused | None = None


class Feedback(Struct, frozen=True):
    """What a person said about one decision, as the service keeps it."""

    id: str
    decision: str
    kind: str
    person: str
    reason: str = ""


class OutcomeRow(Struct, frozen=True):
    """What became of one outcome that was told: its ``effect`` on which decisions, or the ``problem`` with it.

    ``status`` is that of HTTP: below 300 where it was taken.
    """

    status: int
    effect: str = ""
    decisions: tuple[str, ...] = ()
    problem: str = ""


class CardToken(Struct, frozen=True):
    """A token for one card, and the instant (ISO 8601) until which it is good. Never put it into a link."""

    token: str
    expires_at: str
    decision: str
