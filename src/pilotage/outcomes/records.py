"""The nouns of outcomes."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.decisions.records import Said


class JoinedOutcome(Struct, frozen=True):
    """What really happened in a decided case: yes or no, a category or a number, as the outcome is.

    ``revision`` counts corrections, the newest counts.
    """

    decision: str
    use_case: str
    entity: str
    happened: Said
    known_at: datetime
    joined_at: datetime
    revision: int


class OutcomePull(Struct, frozen=True):
    """What one pull of outcomes brought."""

    use_case: str
    joined: int
    corrected: int
    waiting: int
