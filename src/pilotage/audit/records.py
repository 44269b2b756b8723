"""The nouns of an audit: answers, findings, measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

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

    ``evidence`` holds the identifiers of the findings that the colour stands on, ``asked`` what a person said in the
    file: it was asked, not measured.
    """

    question: str
    answer: str
    how: Literal["measured", "declared", "open"]
    colour: Colour = "yellow"
    evidence: tuple[str, ...] = ()
    asked: str = ""


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
    ``samples`` are rows to look at, column → text, masked as the contract says.
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


class SourceProfile(Struct, frozen=True):
    """What was measured of one source."""

    source: str
    rows: int
    duplicates_by_key: int
    known_to: datetime | None
    completeness: dict[str, float]
    match_share: float | None


class MonthBalance(Struct, frozen=True):
    """How many decisions of a month have a known outcome, and how many of those are positive."""

    month: str
    labelled: int
    positives: int


class AuditReport(Struct, frozen=True):
    """The audit of one use case at one state of its sources."""

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

    @property
    def blocked(self) -> bool:
        return any(finding.severity == "blocks" for finding in self.findings)
