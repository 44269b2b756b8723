"""The nouns of review: feedback from the card, cases in the queue, what reviewers decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.decisions.records import Said

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
    verdict_answer: Said | None
    verdict_reason: str


CardLook = Literal["answer", "rule", "uncertain", "missing", "nothing"]
Language = Literal["en", "de"]


class Reason(Struct, frozen=True):
    """One signal on the card: a sentence, and whether it raises or lowers the probability."""

    sentence: str
    direction: Literal["raises", "lowers"]


class Card(Struct, frozen=True, omit_defaults=True):
    """What the card in somebody's app shows. In state ``nothing`` every other field keeps its empty default.

    ``probability`` lies in [0, 1], of yes or of the category that is answered; ``tenths`` is the same in whole tenths.
    ``version`` changes when anything shown does.
    """

    state: CardLook
    version: str = ""
    decision: str = ""
    title: str = ""
    entity: str = ""
    words: str = ""
    because: str = ""
    note: str = ""
    band: str = ""
    band_words: str = ""
    probability: float | None = None
    tenths: int | None = None
    signals: tuple[Reason, ...] = ()
    action: str = ""
    reasons: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class Event(Struct, frozen=True):
    """One step in the life of a case: opened, leased, released, verdict."""

    case: str
    kind: Literal["opened", "leased", "released", "verdict"]
    fence: int
    person: str
    at: datetime
    detail: str


class QueueCounts(Struct, frozen=True):
    """How much waits: open cases, those being worked on, those past their time, and since when the oldest waits."""

    open: int
    leased: int
    overdue: int
    decided: int
    oldest_opened_at: datetime | None
