"""Measures with intervals, candidates, and what they stand beside."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

CandidateName = str
"""rule, human, linear, additive, boosted, or the name of an own or brought candidate."""
Verdict = Literal["pilot", "keep_rule", "not_enough_evidence", "blocked"]
UNLEARNT = ("rule", "human")


class Estimate(Struct, frozen=True):
    """A figure with the bounds of its 95 % interval and its standard error, from resampling whole days."""

    value: float
    low: float
    high: float
    error: float


class Bin(Struct, frozen=True):
    """One bin of a calibration curve: mean predicted probability, observed share, rows."""

    predicted: float
    observed: float
    rows: int


class Perfect(Struct, frozen=True):
    """A loss beside that of a perfectly calibrated model with the same probabilities: its mean and 95 % range.

    ``p`` is how often chance alone takes a perfect model at least as far from ``expected``; never 0.
    """

    value: float
    expected: float
    low: float
    high: float
    p: float


class Reliability(Struct, frozen=True):
    """Whether probabilities mean what they say. ``said`` is their mean, ``happened`` the share of positive outcomes.

    ``slope`` and ``intercept`` are those of outcomes on log-odds: 1 and 0 are perfect, a slope below 1 is too extreme.
    """

    log_loss: Perfect
    brier: Perfect
    said: float
    happened: float
    slope: Estimate
    intercept: Estimate


class Measured(Struct, frozen=True):
    """One candidate on the held-out decisions, by the measures of the kind of outcome; money per 1,000 decisions.

    ``threshold`` is from which probability, or number, on it acts; ``alerts_share`` is how often it does. Both are
    None where there is nothing to act on. ``train_bytes`` is the memory that learning took beyond what was in use; None
    where the system does not say. ``loss`` names the measure that says how much it knows; smaller is better.
    """

    candidate: CandidateName
    title: str
    measures: dict[str, Estimate]
    loss: str
    money: Estimate
    threshold: float | None
    alerts_share: float | None
    review_share: float
    latency_us: float
    size_bytes: int
    train_seconds: float
    calibration: tuple[Bin, ...] = ()
    reliability: Reliability | None = None
    train_bytes: int | None = None

    @property
    def lost(self) -> float:
        """The loss itself."""
        return self.measures[self.loss].value

    @property
    def is_model(self) -> bool:
        """Whether it was learnt, rather than said by the rule or by people."""
        return self.candidate not in UNLEARNT


class Trivial(Struct, frozen=True):
    """An answer that needs no model, on the held-out decisions: what a model must at least be better than.

    ``title`` goes on from "Without any model, …"; ``loss`` is None where the answer says no probability. Money per
    1,000 decisions.
    """

    name: str
    title: str
    money: Estimate
    loss: Estimate | None = None


class Difference(Struct, frozen=True):
    """What a candidate earns more than the rule per 1,000 decisions, on the same days.

    ``p`` is that of the candidate alone, ``p_family`` corrected for all candidates that were tried; none is ever 0.
    """

    candidate: CandidateName
    money: Estimate
    p: float
    p_family: float


class Slice(Struct, frozen=True):
    """A candidate on the held-out decisions with one value of a column; ``difference`` to the rule, both per 1,000.

    ``measure`` is the main measure of the kind of outcome; ``positives`` is None where outcomes are not yes or no.
    ``elsewhere`` is that measure on all other decisions, and ``behind`` how much worse it is here, on the same days;
    both are None where there are too few others.
    """

    column: str
    value: str
    rows: int
    positives: int | None
    money: Estimate
    difference: Estimate
    measure: Estimate
    elsewhere: float | None = None
    behind: Estimate | None = None
