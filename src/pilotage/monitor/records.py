"""The nouns of monitoring: the readings that the operate page shows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct


class Quality(Struct, frozen=True):
    """Realised quality of one answerer over the same matured decisions; None where it is undefined."""

    answerer: str
    decisions: int
    alerts: int
    precision: float | None
    recall: float | None
    money: float


class Matured(Struct, frozen=True):
    """Decisions with an outcome, counted by who answered, what was said and what happened."""

    moment_day: str
    produced_by: str
    given: bool | None
    model: bool | None
    rule: bool | None
    happened: bool
    count: int


class Hour(Struct, frozen=True):
    """One hour of the decided moments: how many decisions, and how many fell back, by reason.

    ``failures`` counts, by code, how often the model was asked and could not answer, also where the rule's answer was
    given anyway, as in shadow.
    """

    hour: datetime
    decisions: int
    fallbacks: dict[str, int]
    failures: dict[str, int] = {}


class Operation(Struct, frozen=True):
    """Everything the operate page says, read from the ledger.

    ``model_asked`` are the decisions about which the model was asked; ``failures`` counts, by code, those about which
    it could then not answer.
    """

    use_case: str
    currency: str
    decisions: int
    matured: int
    hours: tuple[Hour, ...]
    produced_by: dict[str, int]
    reasons: dict[str, int]
    model_asked: int
    failures: dict[str, int]
    quality: tuple[Quality, ...]
    latency_p50_us: int
    latency_p99_us: int
    shown: int
    useful: int
    wrong: int
    overrides: int
    override_reasons: dict[str, int]
    escalations: int
    reviews_open: int
    reviews_done: int
    review_minutes: float
    money_so_far: float
    money_of_rule: float


class Day(Struct, frozen=True):
    """One day of the decided moments: what model and rule would have earned on the same matured decisions."""

    day: date
    decisions: int
    model: float
    rule: float


class Verdict(Struct, frozen=True):
    """One sentence that answers a question, and how it stands."""

    standing: Literal["pass", "fail", "warn", "inform"]
    sentence: str


class Step(Struct, frozen=True):
    """One step in the life of a decision. ``at`` is None where it has not happened; ``text`` then says why."""

    name: Literal["request", "answer", "shown", "feedback", "review", "outcome", "money"]
    at: datetime | None
    text: str
    happened: bool = True
