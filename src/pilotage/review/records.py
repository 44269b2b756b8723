"""The nouns of review: feedback from the card, cases in the queue, what reviewers decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

FeedbackKind = Literal["shown", "useful", "wrong", "override", "escalate"]
CaseState = Literal["open", "leased", "approved", "corrected", "rejected"]
Verdict = Literal["approved", "corrected", "rejected"]
CaseReason = Literal["uncertain", "escalated"]


class Feedback(Struct, frozen=True):
    """What a person in the app said about one decision."""

    id: str
    decision: str
    use_case: str
    entity: str
    kind: FeedbackKind
    reason: str
    person: str
    at: datetime


class Case(Struct, frozen=True):
    """One decision that a person looks at. ``fence`` grows with every lease: an older lease cannot submit."""

    id: str
    decision: str
    use_case: str
    entity: str
    why: CaseReason
    note: str
    state: CaseState
    opened_at: datetime
    due_at: datetime
    leased_to: str
    leased_until: datetime | None
    fence: int
    verdict_by: str
    verdict_at: datetime | None
    verdict_positive: bool | None
    verdict_reason: str
