"""The nouns of an audit: answers, findings, measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from pilotage.data.contracts.records import Protection

Severity = Literal["blocks", "warns", "informs"]
Colour = Literal["green", "yellow", "red"]
Topic = Literal[
    "completeness",
    "currency",
    "duplicates",
    "consistency",
    "keys",
    "label",
    "leakage",
    "bias",
    "sensitive",
    "real time",
    "recreate",
    "contract",
    "file",
]


class Answer(Struct, frozen=True):
    """One of the seven questions with its answer, and whether it was measured or taken from the file.

    ``evidence`` holds the identifiers of the findings that the colour stands on. ``prompt`` is what only a person can
    say, ``asked`` what one said to it in the file at ``path``: asked, not measured.
    """

    question: str
    answer: str
    how: Literal["measured", "declared", "open"]
    colour: Colour = "yellow"
    evidence: tuple[str, ...] = ()
    asked: str = ""
    path: str = ""
    prompt: str = ""


class Cost(Struct, frozen=True):
    """What a finding costs, estimated.

    ``rows``: the share of decisions concerned, 0 to 1. ``skill``: points of AUC that a quick model gains or loses.
    """

    kind: Literal["rows", "skill"]
    value: float
    says: str


class Finding(Struct, frozen=True):
    """Something in the data that costs quality or forbids a use.

    ``id`` stays the same from audit to audit: kind, source and column. ``concerns`` is the number of rows at fault,
    ``share`` that number over the rows looked at, ``sampled`` how many rows were looked at where not all were, else 0.
    ``samples`` are rows to look at, column → text, masked as the contract says. A repair that begins with
    ``Nothing to do`` asks for nothing.
    """

    code: str
    topic: Topic
    severity: Severity
    source: str
    column: str
    message: str
    repair: str
    owner: str
    concerns: int = 0
    share: float = 0.0
    cost: Cost | None = None
    samples: tuple[dict[str, str], ...] = ()
    sampled: int = 0
    figures: dict[str, Any] = {}
    id: str = ""

    @property
    def is_due(self) -> bool:
        """Whether somebody has something to do."""
        return not self.repair.startswith("Nothing to do")


class ColumnProfile(Struct, frozen=True):
    """What was measured of one column. ``filled`` is the share of rows that have a value.

    ``distinct`` is None where it was not counted; ``least``, ``typical`` and ``most`` are texts, empty where unknown.
    """

    name: str
    type: str
    filled: float
    distinct: int | None = None
    least: str = ""
    typical: str = ""
    most: str = ""


class SourceProfile(Struct, frozen=True):
    """What was measured of one source."""

    source: str
    rows: int
    duplicates_by_key: int
    known_to: datetime | None
    completeness: dict[str, float]
    match_share: float | None
    place: str = ""
    owner: str = ""
    columns: tuple[ColumnProfile, ...] = ()


class MonthBalance(Struct, frozen=True):
    """How many decisions of a month have a known outcome, and how many of those are positive."""

    month: str
    labelled: int
    positives: int


class Available(Struct, frozen=True):
    """One input at the moment of decision: where it comes from, in which share of past decisions it was there.

    ``late_seconds`` says within which time 19 of 20 rows of its source become known, ``within_seconds`` how old a
    value may be; None where the app itself sends it. Ages are those of its newest row that was known by then;
    ``too_late`` is the share of decisions without a value only because a row came late.
    """

    input: str
    origin: str
    known: float
    late_seconds: float | None = None
    within_seconds: int | None = None
    age_median_seconds: float | None = None
    age_most_seconds: float | None = None
    too_late: float = 0.0


class Step(Struct, frozen=True):
    """One repair of the build plan: the finding behind it, what it is worth in words, who does what.

    ``also`` are the other findings of the same cause, ``at_stake`` the share of all decisions, or of all skill of the
    quick model, that the worst of them puts at stake: steps of one severity are in its order.
    """

    finding: str
    worth: str
    owner: str
    step: str
    severity: Severity = "warns"
    also: tuple[str, ...] = ()
    at_stake: float = 0.0


class ProposedInput(Struct, frozen=True):
    """An input that the file does not have yet. ``lines`` are its YAML, as they belong under ``inputs``.

    ``request`` holds the columns that the app would have to send besides, name → kind. ``skill`` is the AUC of the
    best of its columns alone, measured out of time; None where it was not measured. ``leans_on`` is what the quick
    model's AUC loses without the inputs that it is looked up by or derived from: a reason, not a measurement of it.
    """

    name: str
    form: Literal["request", "latest", "windows", "derived"]
    source: str
    lines: str
    why: str
    request: dict[str, str] = {}
    skill: float | None = None
    leans_on: float = 0.0


class Removal(Struct, frozen=True):
    """An input that leaks, or those of its columns that do (all of it when none is named), and the finding on it."""

    input: str
    columns: tuple[str, ...]
    finding: str
    why: str


class ProtectedColumn(Struct, frozen=True):
    """A column that may hold personal data, and what the contract of its source should declare of it."""

    source: str
    column: str
    protection: Protection


class BuildPlan(Struct, frozen=True):
    """What to do next, in order: repairs first, then contracts, then inputs to take out and to add.

    Steps, each of one cause, are by severity, then by what is at stake; ``protected`` columns go into the contracts
    that are drafted.
    """

    blockers: tuple[Step, ...] = ()
    backlog: tuple[Step, ...] = ()
    uncontracted: tuple[str, ...] = ()
    removals: tuple[Removal, ...] = ()
    proposals: tuple[ProposedInput, ...] = ()
    open_answers: tuple[str, ...] = ()
    protected: tuple[ProtectedColumn, ...] = ()

    @property
    def is_empty(self) -> bool:
        parts = (self.blockers, self.backlog, self.uncontracted, self.removals, self.proposals, self.open_answers)
        return not any(parts)


class Dimension(Struct, frozen=True):
    """One side of the data's maturity, 0 to 100, and the sentence why."""

    name: str
    score: float
    why: str


class Maturity(Struct, frozen=True):
    """How mature the data are, 0 to 100: the mean of the dimensions."""

    overall: float
    dimensions: tuple[Dimension, ...]


class AuditReport(Struct, frozen=True):
    """The audit of one use case at one state of its sources. ``schema_version`` counts changes of this shape.

    ``quick_auc`` is that of the quick model whose skill is at stake, None where there was none. Of an outcome that is a
    category or a number, ``positives`` are those that ``are`` as it says, and ``face`` tells a reader of it.
    ``definition`` is the fingerprint of the file's text, ``substance`` that of what the audit stands on in it.
    """

    use_case: str
    made_at: datetime
    snapshots: dict[str, str]
    answers: tuple[Answer, ...]
    profiles: tuple[SourceProfile, ...]
    findings: tuple[Finding, ...]
    decisions: int
    labelled: int
    positives: int
    balance: tuple[MonthBalance, ...] = ()
    schema_version: int = 2
    title: str = ""
    definition: str = ""
    plan: BuildPlan = BuildPlan()
    maturity: Maturity | None = None
    availability: tuple[Available, ...] = ()
    substance: str = ""
    quick_auc: float | None = None
    are: str = "positive"
    face: str = ""

    @property
    def blocked(self) -> bool:
        return any(finding.severity == "blocks" for finding in self.findings)


class Change(Struct, frozen=True):
    """One finding in two audits. ``before`` or ``after`` is None where it was not there."""

    id: str
    before: Finding | None
    after: Finding | None
    says: str

    @property
    def finding(self) -> Finding | None:
        return self.after or self.before


class Comparison(Struct, frozen=True):
    """What changed from one audit to a later one, by the identifiers of the findings."""

    before: datetime
    after: datetime
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    new: tuple[Change, ...]
    gone: tuple[Change, ...]
    unchanged: int
    maturity_before: float | None = None
    maturity_after: float | None = None


class Point(Struct, frozen=True):
    """The maturity at one audit of the history; ``id`` is that of the audit's evidence."""

    id: str
    made_at: datetime
    overall: float
    blocks: int
    warns: int
    dimensions: dict[str, float]
