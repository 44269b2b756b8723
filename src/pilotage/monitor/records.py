"""The nouns of monitoring: the readings that the operate page shows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from pilotage.usecase.records import OutcomeKind

Answerer = Literal["model", "rule", "given"]


class Quality(Struct, frozen=True):
    """Realised quality of one answerer over the same matured decisions, by the measures of the kind of outcome.

    A measure is None where it is undefined; money is without reviewing.
    """

    answerer: Answerer
    decisions: int
    measures: dict[str, float | None]
    money: float


class Matured(Struct, frozen=True):
    """Decisions of one day whose outcome is known, and what came of one answerer's answers to them.

    ``came`` is summed up by the names of ``brief.value``: how often, or of a number by how many units; ``within`` is
    how often a number lay in the model's interval. ``compared``: the model gave its view of these.
    """

    day: str
    answerer: Answerer
    compared: bool
    decisions: int
    came: dict[str, float]


class Hour(Struct, frozen=True):
    """One hour of the decided moments: how many decisions, and how many fell back, by reason.

    ``failures`` counts, by code, how often the model was asked and could not answer, also where the rule's answer was
    given anyway, as in shadow.
    """

    hour: datetime
    decisions: int
    fallbacks: dict[str, int]
    failures: dict[str, int] = {}


class Service(Struct, frozen=True):
    """How the questions fared that apps asked over HTTP and that were the model's to answer.

    What commands and files asked, nobody waited for: it is not in here. ``failures`` counts, by code,
    questions to which the model had no answer, or none that could be used; ``latencies`` are of the newest answers,
    percentiles in microseconds.
    """

    asked: int = 0
    failures: dict[str, int] = {}
    latencies: int = 0
    latency_p50_us: int = 0
    latency_p99_us: int = 0

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def failed_share(self) -> float:
        return self.failed / self.asked if self.asked else 0.0


class Runs(Struct, frozen=True):
    """How the questions fared that files and tables asked, as batch jobs, and that were the model's to answer.

    ``rows`` were answered in them, ``failures`` as of :class:`Service`; ``refused`` rows did not fit. ``counted`` jobs
    ended or should have; ``in_time`` of them were done within the time that the file agrees.
    """

    rows: int = 0
    failures: dict[str, int] = {}
    refused: int = 0
    counted: int = 0
    in_time: int = 0

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def failed_share(self) -> float:
        return self.failed / self.rows if self.rows else 0.0


class Unread(Struct, frozen=True):
    """A column in which these decisions had no value that the model could use.

    ``why``: ``unknown`` where the value was a category that training never saw, else why a live column could not be
    read: ``too_slow``, ``unreachable`` or ``too_old``.
    """

    column: str
    why: str
    decisions: int


class Operation(Struct, frozen=True):
    """Everything the operate page says, read from the ledger.

    ``model_asked`` are the decisions about which the model was asked; ``failures`` counts, by code, those about which
    it could then not answer. ``service`` is of all questions of apps, ``recent`` of the last day on which they asked;
    ``runs`` is of files.
    ``known_before`` decisions have an outcome that had been read before they were answered: ``matured`` and
    ``quality`` are without them, and without the ``judged_blind`` whose case is not closed yet.
    ``unread`` is of the ``unread_of`` newest decisions.
    """

    use_case: str
    kind: OutcomeKind
    unit: str
    currency: str
    decisions: int
    matured: int
    hours: tuple[Hour, ...]
    produced_by: dict[str, int]
    reasons: dict[str, int]
    model_asked: int
    failures: dict[str, int]
    quality: tuple[Quality, ...]
    service: Service
    recent: Service
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
    known_before: int = 0
    runs: Runs = Runs()
    judged_blind: int = 0
    unread: tuple[Unread, ...] = ()
    unread_of: int = 0


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
