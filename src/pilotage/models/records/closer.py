"""What is found by looking closer at one model, and what a search for settings tried."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.models.records.figures import CandidateName, Estimate


class Trial(Struct, frozen=True):
    """Settings that a search tried, their mean loss on the folds, and how long that took."""

    settings: dict[str, float]
    loss: float
    seconds: float


class Search(Struct, frozen=True):
    """Settings tried on folds of the training part alone; ``chosen`` has the least loss, of equals the first.

    ``known`` settings there were; where fewer were tried, the budget ended it. ``folds`` is 0 where the training part
    is too small to be parted: then nothing was tried.
    """

    candidate: CandidateName
    loss: str
    trials: tuple[Trial, ...]
    known: int
    chosen: dict[str, float]
    folds: int
    seconds: float
    budget_seconds: float


class Part(Struct, frozen=True):
    """A candidate that learnt from some of the rows, on the same held-out decisions. Money per 1,000 decisions."""

    rows: int
    measure: Estimate
    loss: Estimate
    money: Estimate


class Learning(Struct, frozen=True):
    """A candidate taught by the newest parts of the training part, the smallest first and all of it last.

    ``loss_less``, ``measure_more`` and ``money_more`` are what twice as many rows changed, between the last two parts,
    on the same days. ``skipped`` are parts that would have taken too long.
    """

    candidate: CandidateName
    parts: tuple[Part, ...]
    loss_less: Estimate | None
    measure_more: Estimate | None
    money_more: Estimate | None
    skipped: tuple[int, ...] = ()


class Without(Struct, frozen=True):
    """What a candidate loses without some columns: money per 1,000 decisions, its loss and main measure, same days."""

    name: str
    columns: tuple[str, ...]
    money: Estimate
    loss: Estimate
    measure: Estimate


class Ablation(Struct, frozen=True):
    """A candidate without each group of columns, the dearest first.

    ``retrained``: it learnt again without them. Else their values were exchanged between held-out decisions: how much
    this model leans on them, which is more than a new one would lose where other columns tell the same. Where not all
    groups were tried, it was those on which it leans most, by ``ranked_on`` held-out decisions; others are ``skipped``.
    """

    candidate: CandidateName
    retrained: bool
    groups: tuple[Without, ...]
    skipped: tuple[str, ...] = ()
    ranked_on: int = 0


class Group(Struct, frozen=True):
    """A candidate on the held-out decisions of one group of people, by shares or, of numbers, mean errors."""

    value: str
    rows: int
    measures: dict[str, Estimate]


class Grouped(Struct, frozen=True):
    """A candidate by the groups of one column.

    ``ratio`` is the ``measure`` of group ``lowest`` over that of ``highest``, with an interval that is corrected for
    all ``pairs`` of groups; None where nothing can be compared. Where the very lowest and highest are too small to
    tell, they are the two that lie apart most surely. ``rule`` is the rule's. ``crossed``: the interval of some pair
    lies below ``limit``. ``left_out`` groups, with ``left_out_rows``, are too small to be judged.
    """

    column: str
    candidate: CandidateName
    groups: tuple[Group, ...]
    measure: str
    ratio: Estimate | None
    lowest: str
    highest: str
    rule: float | None
    pairs: int
    limit: float | None
    crossed: bool
    left_out: int
    left_out_rows: int


class Period(Struct, frozen=True):
    """A candidate on the held-out decisions of one span of time. Money per 1,000 decisions."""

    begins: datetime
    rows: int
    measure: Estimate
    money: Estimate


class Stability(Struct, frozen=True):
    """A candidate week by week or month by month; ``change`` of its main measure from the first half to the second."""

    candidate: CandidateName
    span: str
    periods: tuple[Period, ...]
    change: Estimate
    halves: tuple[float, float]


class Surest(Struct, frozen=True):
    """If the model only answers the surest ``share`` of decisions and leaves the others to the rule.

    ``right`` is the share of right answers (of numbers the mean error) among ``rows``; ``precision`` that of right
    alerts among ``alerts``. ``money`` counts all decisions, per 1,000. ``more`` is what that is worth more than
    answering all, on the same days, and ``p_family`` its p-value: both corrected for the shares looked at, and None of
    all decisions.
    """

    share: float
    rows: int
    right: Estimate
    money: Estimate
    alerts: int | None = None
    precision: Estimate | None = None
    more: Estimate | None = None
    p_family: float | None = None


class Band(Struct, frozen=True):
    """Probabilities from ``low`` to ``high``: how many decisions have one, and what happened."""

    name: str
    low: float
    high: float
    rows: int
    predicted: float
    observed: Estimate
