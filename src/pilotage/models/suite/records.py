"""The nouns of testing a model: limits, what one check found, and the report of all."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Outcome = Literal["PASS", "FAIL", "WARN", "SKIPPED"]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much a model may give way. Shares are of the rows tested, in [0, 1].

    Beyond ``spelling``, ``noise``, ``against_the_rule`` and, of columns under ``fairness.by``, ``group`` a check fails.
    Beyond the others it warns, since much may rightly hang on one column; the checks named in ``strict`` fail there
    too: ``strict=("missing", "drift")``.

    ``group``: answers that depend on a declared group or a personal column. ``spelling``: answers that change with
    capitals or blanks of one and the same level. ``missing``, ``unseen``: answers that change when a column is empty,
    or has a level that training never saw. ``drift``: answers that change when a number is shifted by ``drift_by``
    standard deviations, or the most frequent level gives way to the next. ``noise``: answers that change when all
    numbers are disturbed by ``noise_by`` standard deviations. ``against_the_rule``: below which p a slice counts as
    proved worse than the rule. ``outcomes_beyond``: how many times the span of all outcomes a predicted number may lie
    outside of it.
    """

    group: float = 0.05
    spelling: float = 0.05
    missing: float = 0.5
    unseen: float = 0.5
    drift: float = 0.3
    drift_by: float = 0.5
    noise: float = 0.10
    noise_by: float = 0.01
    against_the_rule: float = 0.05
    outcomes_beyond: float = 1.0
    strict: tuple[str, ...] = ()


class Example(Struct, frozen=True):
    """The row that shows a result best: what stood in it, what was put there instead, the answers to both.

    Personal columns are masked.
    """

    row: dict[str, str]
    put: dict[str, str]
    before: str
    after: str


class Result(Struct, frozen=True):
    """What one check found of one column, or of all where ``column`` is empty.

    ``figure`` is held against ``limit``; both are None where the check has none, or was skipped.
    """

    check: str
    column: str
    outcome: Outcome
    sentence: str
    figure: float | None = None
    limit: float | None = None
    example: Example | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """Such as ``missing:carrier``."""
        return f"{self.check}:{self.column}" if self.column else self.check


class SuiteReport(Struct, frozen=True):
    """Everything that was tested of one artefact. ``own`` is the user's file, empty where there is none.

    ``rows`` held-out rows were asked; ``substance`` is that of the use-case file.
    """

    use_case: str
    candidate: str
    artefact: str
    comparison: str
    rows: int
    results: tuple[Result, ...]
    limits: Limits
    made_at: datetime
    own: str = ""

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.outcome == "FAIL")

    @property
    def passed(self) -> bool:
        return not self.failed

    def counted(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return sum(result.outcome == outcome for result in self.results)
