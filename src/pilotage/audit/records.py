"""The nouns of an audit: answers, findings, measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Severity = Literal["blocks", "warns", "informs"]


class Answer(Struct, frozen=True):
    """One of the seven questions with its answer, and whether it was measured or taken from the file."""

    question: str
    answer: str
    how: Literal["measured", "declared", "open"]


class Finding(Struct, frozen=True):
    """Something in the data that costs quality or forbids a use."""

    code: str
    severity: Severity
    source: str
    column: str
    message: str
    repair: str
    owner: str
    figures: dict[str, Any] = {}


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
