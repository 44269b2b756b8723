"""What a model is worth if it only answers when it is sure, and leaves the other decisions to the rule."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Band, Surest
from pilotage.models.rules.differences import holm, is_significant, sign_flipped
from pilotage.models.rules.evaluation import HeldOut, Vector, estimate, mean_draws, ratio, total
from pilotage.models.rules.judging.judge import Answers, Judge
from pilotage.models.rules.slices import ROWS_MIN

SHARES = (1.0, 0.9, 0.75, 0.5, 0.25, 0.1)


def surest(judge: Judge, said: Answers, rule: Answers, random: np.random.Generator) -> tuple[Surest, ...]:
    """Per share of decisions, the surest first. Nothing where the model is equally sure of all.

    What a share is worth more than answering all decisions is paired by day, and corrected for the shares looked at:
    the best of several looks better than it is.
    """
    sure = sureness(judge, said)
    if len(np.unique(sure)) < len(SHARES):
        return ()
    order = np.argsort(-sure, kind="stable")
    parts = [(share, order[: round(share * len(order))]) for share in SHARES]
    parts = [(share, rows) for share, rows in parts if len(rows) >= ROWS_MIN]
    found = [_answering(judge, said, rule, share, rows) for share, rows in parts]
    apart = [_money(judge, said, rule, rows) - judge.earned(said) for _, rows in parts[1:]]
    return (*found[:1], *_compared(judge.time, found[1:], apart, random))


def is_surely_better(one: Surest) -> bool:
    """Whether answering only this share is worth more than answering all decisions by more than chance."""
    return one.more is not None and one.p_family is not None and is_significant(one.more, one.p_family)


def _compared(time: HeldOut, found: list[Surest], apart: list[Vector], random: np.random.Generator) -> Iterator[Surest]:
    """The shares below 1 with what they are worth ``apart`` from answering all, per row of each."""
    sums = [np.bincount(time.days, rows, time.days_count).astype(np.float64) for rows in apart]
    family = holm([sign_flipped(days, random) for days in sums])
    for one, rows, p in zip(found, apart, family, strict=True):
        more = estimate(1000 * mean_draws(time, rows), len(found))
        yield msgspec.structs.replace(one, more=more, p_family=p)


def sureness(judge: Judge, said: Answers) -> Vector:
    """Per decision, more is surer: how far the log-odds lie from the threshold's, the probability of the category that
    is answered, or how narrow the interval is.
    """
    if judge.kind == "category":
        sure: Vector = said.outputs.max(axis=1)
        return sure
    if judge.kind == "number":
        return said.outputs[:, 1] - said.outputs[:, 2]
    at = _log_odds(np.array([0.5 if said.threshold is None else said.threshold]))
    return np.abs(_log_odds(said.outputs[:, 0]) - at)


def _answering(judge: Judge, said: Answers, rule: Answers, share: float, rows: NDArray[np.intp]) -> Surest:
    time = judge.time
    part = HeldOut(time.labels[rows], time.days[rows], time.weights)
    money = _money(judge, said, rule, rows)
    right = estimate(mean_draws(part, judge.right(said)[rows]))
    found = estimate(1000 * mean_draws(time, money))
    if judge.kind != "flag":
        return Surest(share, len(rows), right, found)
    alerts = said.answers[rows]
    precision = None
    if alerts.sum() >= ROWS_MIN:
        precision = estimate(ratio(total(part, alerts & part.labels), total(part, alerts)))
    return Surest(share, len(rows), right, found, int(alerts.sum()), precision)


def _money(judge: Judge, said: Answers, rule: Answers, rows: NDArray[np.intp]) -> Vector:
    """The money of every decision, where the model answers these rows and the rule the others."""
    money = judge.earned(rule).copy()
    money[rows] = judge.earned(said)[rows]
    return money


def bands(judge: Judge, said: Answers, uncertain_within: float) -> tuple[Band, ...]:
    """Flags below, around and above the threshold; the middle one is what goes to a person. Empty of other kinds."""
    if judge.kind != "flag" or said.threshold is None:
        return ()
    low, high = max(0.0, said.threshold - uncertain_within), min(1.0, said.threshold + uncertain_within)
    probabilities = said.outputs[:, 0]
    review = said.review
    parts = (
        ("low", 0.0, low, ~review & (probabilities < said.threshold)),
        ("uncertain", low, high, review),
        ("high", high, 1.0, ~review & (probabilities >= said.threshold)),
    )
    return tuple(_band(judge, name, begin, end, rows, probabilities) for name, begin, end, rows in parts if rows.any())


def _band(judge: Judge, name: str, low: float, high: float, rows: NDArray[np.bool_], probabilities: Vector) -> Band:
    time = judge.time
    observed = ratio(total(time, rows & time.labels), total(time, rows))
    return Band(name, low, high, int(rows.sum()), float(probabilities[rows].mean()), estimate(observed))


def _log_odds(probabilities: Vector) -> Vector:
    safe = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return np.log(safe) - np.log1p(-safe)
