"""The nouns of outcomes."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.decisions.records import Said


class JoinedOutcome(Struct, frozen=True):
    """What really happened in a decided case: yes or no, a category or a number, as the outcome is.

    ``revision`` counts corrections, the newest counts. ``known_before``: it had been read here before the question was
    answered, so that it shows nothing of how well answers foresee.
    """

    decision: str
    use_case: str
    entity: str
    happened: Said
    known_at: datetime
    joined_at: datetime
    revision: int
    known_before: bool = False


class Decided(Struct, frozen=True):
    """A decision, as far as joining outcomes needs it."""

    id: str
    entity: str
    moment: datetime
    decided_at: datetime


class OutcomePull(Struct, frozen=True):
    """What one pull of outcomes brought, and where each of the ``decisions`` stands after it.

    Each is one of these: ``known`` has an outcome (``known_before`` of them had it before they were answered);
    ``waiting`` is younger than the outcome takes, the last until ``waiting_until``; of ``missing`` the source says
    nothing although it should by now; ``left`` was answered too long ago and is not looked for any more.
    """

    use_case: str
    joined: int = 0
    corrected: int = 0
    decisions: int = 0
    known: int = 0
    known_before: int = 0
    waiting: int = 0
    waiting_until: datetime | None = None
    missing: int = 0
    left: int = 0
