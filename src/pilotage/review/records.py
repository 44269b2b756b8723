"""The nouns of review: feedback from the card, cases in the queue, what reviewers decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.decisions.records import Said
from pilotage.usecase.records import CaseReason

FeedbackKind = Literal["shown", "useful", "wrong", "override", "escalate", "accept"]
CaseState = Literal["open", "leased", "approved", "corrected", "rejected", "lapsed", "withdrawn"]
Verdict = Literal["approved", "corrected", "rejected"]


class Feedback(Struct, frozen=True):
    """What a person in the app said about one decision. What was taken back has ``undone_at``, and counts no more."""

    id: str
    decision: str
    use_case: str
    entity: str
    kind: FeedbackKind
    reason: str
    person: str
    at: datetime
    undone_at: datetime | None = None


class Given(Feedback, frozen=True):
    """Feedback that was just kept, and for how many seconds it may be taken back; 0 where it may not."""

    undo_seconds: int = 0


class Case(Struct, frozen=True):
    """One decision that people look at. ``fence`` grows with every lease: an older lease cannot submit.

    ``round`` grows with every opinion, and with every one that is taken back; ``wanted`` people must agree. ``blind``:
    judged without the model's opinion. ``skill`` is what a reviewer must have, or empty. Cases come in the order of
    ``rank``, in seconds since 1970 (:func:`pilotage.review.rules.ordering.rank`).
    """

    id: str
    decision: str
    use_case: str
    entity: str
    why: CaseReason
    note: str
    state: CaseState
    opened_at: datetime
    due_at: datetime
    falls_back_at: datetime
    rank: float
    round: int = 1
    wanted: int = 1
    blind: bool = False
    skill: str = ""
    escalated_at: datetime | None = None
    leased_to: str = ""
    leased_at: datetime | None = None
    leased_until: datetime | None = None
    fence: int = 0
    verdict_by: str = ""
    verdict_at: datetime | None = None
    verdict_answer: Said | None = None
    verdict_reason: str = ""


class QueuedCase(Case, frozen=True):
    """A case as a queue lists it. ``at_stake`` is in the file's currency; None where nobody knows or may see it."""

    at_stake: float | None = None


class Opinion(Struct, frozen=True, kw_only=True):
    """What one person said in one round of a case. ``blind``: without the model's opinion and without each other's.

    ``seconds`` is the time from taking the case to the verdict. One that was taken back has ``undone_at``.
    """

    case: str
    round: int
    use_case: str
    person: str
    verdict: Verdict
    answer: Said | None
    reason: str
    blind: bool
    seconds: float
    at: datetime
    undone_at: datetime | None = None


class Comment(Struct, frozen=True, kw_only=True):
    """What somebody wrote beside a case. ``late``: a verdict that came after its lease, kept and not counted."""

    id: str
    case: str
    person: str
    at: datetime
    text: str
    link: str = ""
    late: bool = False


CardLook = Literal["answer", "rule", "uncertain", "missing", "nothing"]
Language = str
"""A language by its code, of those that have a file in ``review/languages``."""


class Reason(Struct, frozen=True):
    """One signal on the card: a sentence, and whether it raises or lowers the probability."""

    sentence: str
    direction: Literal["raises", "lowers"]


class Card(Struct, frozen=True, omit_defaults=True):
    """What the card in somebody's app shows. In state ``nothing`` every other field keeps its empty default.

    ``answer`` is what ``action`` says in words.
    ``probability`` lies in [0, 1], of yes or of the category that is answered; ``tenths`` is the same in whole tenths.
    ``version`` changes when anything shown does. ``reason_words`` are the ``reasons`` as they are shown, in the same
    order: what is sent is the reason itself.
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
    answer: Said | None = None
    action: str = ""
    reasons: tuple[str, ...] = ()
    reason_words: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class Input(Struct, frozen=True):
    """One column of a case: its name, what it says, and its value as its reviewers may see it."""

    name: str
    says: str
    value: str | None


class ModelView(Struct, frozen=True, kw_only=True):
    """What the model says of a case. ``probability`` and ``shares`` lie in [0, 1]."""

    sentence: str
    band: str
    version: str
    probability: float | None
    shares: dict[str, float]
    signals: tuple[Reason, ...]


class CaseView(Struct, frozen=True, kw_only=True):
    """A case with its evidence, for whoever judges it: the same for the page and for other queues.

    Of a blind case that is not closed there is nothing that the model said, nor what was answered by it. What is
    ``at_stake`` in the case is in the ``currency`` of the file; None where nobody knows or may see it.
    """

    case: Case
    at_stake: float | None
    currency: str
    question: str
    inputs: tuple[Input, ...]
    given: Said | None
    given_words: str
    model: ModelView | None
    because: str
    rule: str
    choices: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    guidelines: str
    said: tuple[Feedback, ...]
    comments: tuple[Comment, ...]
    opinions: tuple[Opinion, ...]
    asked_at: datetime


EventKind = Literal["opened", "leased", "released", "verdict", "opinion", "undone", "escalated", "lapsed", "withdrawn"]


class Event(Struct, frozen=True):
    """One step in the life of a case. ``opinion`` is a verdict that needs another person's."""

    case: str
    kind: EventKind
    fence: int
    person: str
    at: datetime
    detail: str


class Label(Struct, frozen=True, kw_only=True):
    """What people found right of one decision. ``agreed`` of the ``judged`` people said so; instants are ISO 8601, UTC.

    ``answer`` is yes or no, a category, or a number; ``known_at`` is when it could not be taken back any more.
    """

    id: str
    entity: str
    decision: str
    answer: str | float | None
    verdict: str
    judged_at: str
    known_at: str
    judged_by: str
    agreed: int
    judged: int
    blind: bool
    reason: str


class Labels(Struct, frozen=True):
    """A page of labels, and the cursor of the next; empty where there is none."""

    labels: list[Label]
    next: str


QueueState = Literal["open", "mine", "decided", "lapsed"]


class Filter(Struct, frozen=True, kw_only=True):
    """Which cases of a queue are listed. Empty fields ask for nothing; ``overdue`` for those past their time."""

    state: QueueState = "open"
    why: tuple[CaseReason, ...] = ()
    skill: str = ""
    entity: str = ""
    overdue: bool = False


EVERYTHING_OPEN = Filter()


class Wanted(Struct, frozen=True, kw_only=True):
    """Which cases of a queue a page or a view lists, as it was asked for: by state, and by the reason reviewers know.

    Empty fields ask for nothing.
    """

    show: str = "open"
    why: str = ""
    skill: str = ""
    entity: str = ""
    overdue: bool = False


class View(Wanted, frozen=True, kw_only=True):
    """Filters of a queue that ``person`` keeps under a name. A ``shared`` one is before all its reviewers."""

    id: str
    use_case: str
    person: str
    name: str
    shared: bool
    show: QueueState
    why: CaseReason | Literal[""]
    at: datetime


class QueueCounts(Struct, frozen=True):
    """How many cases are open, being worked on, past their time, closed; and since when the oldest waits."""

    open: int
    leased: int
    overdue: int
    closed: int
    oldest_opened_at: datetime | None
