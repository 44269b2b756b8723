"""The nouns of outcomes."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class JoinedOutcome(Struct, frozen=True):
    """What really happened in a decided case. ``revision`` counts corrections, the newest counts."""

    decision: str
    use_case: str
    entity: str
    positive: bool
    known_at: datetime
    joined_at: datetime
    revision: int


class OutcomePull(Struct, frozen=True):
    """What one pull of outcomes brought."""

    use_case: str
    joined: int
    corrected: int
    waiting: int
