"""How unlike a candidate treats groups of people: per group by Fairlearn, and whether a declared limit is crossed.

A limit is held against every pair of groups by Fieller's interval of the ratio of two shares (Fieller 1954), from
resampled days, corrected for the number of pairs (Bonferroni): of many groups the lowest and the highest lie apart by
chance alone. A share's variance is never taken for less than that of its rows one by one (Agresti, Coull 1998), as days
on which nothing happened to a small group would say that nothing ever will.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import CandidateName, Estimate, Group, Grouped
from pilotage.models.rules.evaluation import HeldOut, Vector, estimate, ratio
from pilotage.models.rules.judging.judge import Answers, Judge
from pilotage.models.rules.slices import DAYS_MIN, ROWS_MIN
from pilotage.usecase.records import Fairness, OutcomeKind

COUNTED_MIN = 20
"""A share among fewer cases of a group, such as its positive ones, is not compared."""
BANDS = 4
BANDED_FROM = 10
"""Numbers with more values than this are groups by their quartiles."""
UNKNOWN = ""

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class _Share:
    """What is counted (``above``) among what (``below``), per held-out row."""

    above: Vector
    below: Vector


@dataclass(frozen=True)
class _Compared:
    """Two groups and the ratio of their shares; ``ceiling``: below it the ratio of some pair surely lies.

    ``among`` are the groups of which these have the lowest and the highest share: all of them, or these two.
    """

    lowest: int
    highest: int
    ratio: Estimate
    ceiling: float
    among: list[int]


def measured(
    judge: Judge,
    candidate: CandidateName,
    said: Answers,
    rule: Answers,
    column: str,
    values: Sequence[str | None],
    limit: Fairness | None,
) -> Grouped:
    """By one column, with a value per held-out row. Only flags have a limit; a missing value is never judged."""
    texts = banded(values)
    measure = limit.measure if limit else _first(judge)
    shares, rules = _shares(judge, said), _shares(judge, rule)
    fit, left_out, left_rows = _fit(judge.time, texts, shares[measure])
    kept = np.isin(texts, fit)
    figures = _by_fairlearn(judge, said, texts, kept) if fit else {}
    draws = {name: _draws(judge.time, share, texts, fit) for name, share in shares.items()}
    counts = {name: _counts(share, texts, fit) for name, share in shares.items()}
    groups = tuple(
        Group(
            value,
            int((texts == value).sum()),
            {
                name: _estimate(figures[name][value], drawn[:, at], counts[name][at], judge.kind)
                for name, drawn in draws.items()
                if counts[name][at] >= COUNTED_MIN
            },
        )
        for at, value in enumerate(fit)
    )
    judged = [at for at, value in enumerate(fit) if value != UNKNOWN]
    floor = _smoothed(draws[measure][0], counts[measure])[1]
    ratio_min = limit.ratio if limit else None
    compared = _compared(draws[measure], floor, judged, ratio_min) if judge.kind != "number" else None
    pairs = len(judged) * (len(judged) - 1) // 2
    return Grouped(
        column=column,
        candidate=candidate,
        groups=groups,
        measure=measure,
        ratio=compared.ratio if compared else None,
        lowest=fit[compared.lowest] if compared else "",
        highest=fit[compared.highest] if compared else "",
        rule=_rule_ratio(_draws(judge.time, rules[measure], texts, fit)[0], compared.among) if compared else None,
        pairs=pairs,
        limit=ratio_min,
        crossed=compared is not None and ratio_min is not None and compared.ceiling < ratio_min,
        left_out=left_out,
        left_out_rows=left_rows,
    )


def banded(values: Sequence[str | None]) -> NDArray[Any]:
    """The groups as texts, a missing one empty; numbers with many values in four bands of equally many rows."""
    texts = np.array([UNKNOWN if value is None else str(value) for value in values], dtype=object)
    known = np.array([value != UNKNOWN for value in texts], dtype=np.bool_)
    numbers = _numbers(texts[known])
    if numbers is None or len(np.unique(numbers)) <= BANDED_FROM:
        return texts
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BANDS + 1)[1:-1]))
    names = [f"under {edges[0]:g}"]
    names += [f"{low:g} to under {high:g}" for low, high in itertools.pairwise(edges)]
    names.append(f"{edges[-1]:g} and more")
    texts[known] = [names[at] for at in np.searchsorted(edges, numbers, side="right")]
    return texts


def _numbers(texts: NDArray[Any]) -> Vector | None:
    try:
        found = texts.astype(np.float64)
    except ValueError:
        return None
    return found if len(found) and bool(np.isfinite(found).all()) else None


def _first(judge: Judge) -> str:
    return {"flag": "selection", "category": "accuracy", "number": "mean_absolute_error"}[judge.kind]


def _shares(judge: Judge, said: Answers) -> dict[str, _Share]:
    """What is compared between groups."""
    every = np.ones(len(judge.time.labels))
    if judge.kind == "category":
        return {"accuracy": _Share(judge.right(said), every)}
    if judge.kind == "number":
        over = said.answers - judge.time.labels
        return {"mean_absolute_error": _Share(np.abs(over), every), "bias": _Share(over, every)}
    acts, positive = np.asarray(said.answers, dtype=np.float64), judge.time.labels.astype(np.float64)
    return {
        "selection": _Share(acts, every),
        "recall": _Share(acts * positive, positive),
        "false_alarms": _Share(acts * (1 - positive), 1 - positive),
    }


def _by_fairlearn(judge: Judge, said: Answers, texts: NDArray[Any], kept: Rows) -> dict[str, dict[str, float]]:
    """Measure → group → figure, of the groups that are large enough."""
    from fairlearn.metrics import MetricFrame

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a group without positive outcomes has no recall: it comes out as 0
        frame = MetricFrame(
            metrics=_metrics(judge),
            y_true=judge.time.labels[kept],
            y_pred=said.answers[kept],
            sensitive_features=texts[kept].astype(str),
        )
    return {
        name: {str(group): float(value) for group, value in column.items()} for name, column in frame.by_group.items()
    }


def _metrics(judge: Judge) -> dict[str, Callable[..., Any]]:
    from fairlearn.metrics import false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import accuracy_score, mean_absolute_error

    if judge.kind == "category":
        return {"accuracy": accuracy_score}
    if judge.kind == "number":
        return {
            "mean_absolute_error": mean_absolute_error,
            "bias": lambda y_true, y_pred: float(np.mean(np.asarray(y_pred) - np.asarray(y_true))),
        }
    return {"selection": selection_rate, "recall": true_positive_rate, "false_alarms": false_positive_rate}


def _fit(time: HeldOut, texts: NDArray[Any], share: _Share) -> tuple[list[str], int, int]:
    """The groups that are large enough, the largest first; how many others there are and how many rows they have."""
    found, place, counts = np.unique(texts.astype(str), return_inverse=True, return_counts=True)
    counted = np.bincount(place, share.below, len(found))
    days = np.bincount(np.unique(place * time.days_count + time.days) // time.days_count, minlength=len(found))
    fits = (counts >= ROWS_MIN) & (counted >= COUNTED_MIN) & (days >= DAYS_MIN)
    fit = sorted(np.flatnonzero(fits).tolist(), key=lambda at: -int(counts[at]))
    return [str(found[at]) for at in fit], int((~fits).sum()), int(counts[~fits].sum())


def _draws(time: HeldOut, share: _Share, texts: NDArray[Any], fit: list[str]) -> NDArray[np.float64]:
    """The share of every group: (itself, then per resample) × groups."""
    columns = []
    for value in fit:
        rows = texts == value
        above, below = (
            time.weights @ np.bincount(time.days[rows], part[rows], time.days_count)
            for part in (share.above, share.below)
        )
        columns.append(ratio(above, below))
    return np.column_stack(columns) if columns else np.empty((len(time.weights), 0))


def _counts(share: _Share, texts: NDArray[Any], fit: list[str]) -> Vector:
    """Among how many cases of each group the share is."""
    return np.array([share.below[texts == value].sum() for value in fit])


def _smoothed(value: Vector, count: Vector) -> tuple[Vector, Vector]:
    """A share's middle and variance from its rows one by one (Agresti, Coull 1998)."""
    middle = (value * count + 2) / (count + 4)
    return middle, middle * (1 - middle) / (count + 4)


def _estimate(value: float, draws: Vector, count: float, kind: OutcomeKind) -> Estimate:
    """Fairlearn's figure with the interval over days, which is never narrower than that of a share's rows."""
    found = estimate(draws)
    if kind == "number":
        return Estimate(value, found.low, found.high, found.error)
    middle, variance = (float(one[0]) for one in _smoothed(np.array([value]), np.array([count])))
    away = NormalDist().inv_cdf(0.975) * math.sqrt(variance)
    low, high = min(found.low, max(0.0, middle - away)), max(found.high, min(1.0, middle + away))
    return Estimate(value, low, high, max(found.error, math.sqrt(variance)))


def _compared(draws: NDArray[np.float64], floor: Vector, judged: list[int], limit: float | None) -> _Compared | None:
    """The lowest and the highest group, or those two that lie apart most surely.

    These are named where the lowest and the highest cannot be compared, as too little happened in a small group, or
    where they alone do not show that the limit is crossed. ``floor`` is the least variance of each group's share. None
    where no two groups can be compared.
    """
    if len(judged) < 2 or draws[0, judged].max() <= 0:
        return None
    covariance = np.atleast_2d(np.cov(draws[1:], rowvar=False))
    pairs = len(judged) * (len(judged) - 1) // 2
    z = NormalDist().inv_cdf(1 - 0.025 / pairs)

    def bounds(low: int, high: int) -> tuple[float, float]:
        variances = max(covariance[low, low], floor[low]), max(covariance[high, high], floor[high])
        return fieller(draws[0, low], draws[0, high], variances, covariance[low, high], z)

    order = sorted(judged, key=lambda at: draws[0, at])
    surest = min(itertools.combinations(order, 2), key=lambda pair: bounds(*pair)[1])
    ceiling = bounds(*surest)[1]
    if math.isinf(ceiling):
        return None
    extremes = order[0], order[-1]
    shown = bounds(*extremes)[1] < (math.inf if limit is None or ceiling >= limit else limit)
    (low, high), among = (extremes, judged) if shown else (surest, list(surest))
    ends = bounds(low, high)
    value = float(draws[0, low] / draws[0, high])
    return _Compared(low, high, Estimate(value, *ends, (ends[1] - ends[0]) / (2 * z)), ceiling, among)


def fieller(
    above: float, below: float, variances: tuple[float, float], covariance: float, z: float
) -> tuple[float, float]:
    """The bounds of above / below; the high one is infinite where ``below`` may as well be 0."""
    a = below**2 - z**2 * variances[1]
    if a <= 0:
        return 0.0, math.inf
    b = above * below - z**2 * covariance
    c = above**2 - z**2 * variances[0]
    root = math.sqrt(max(0.0, b**2 - a * c))
    return max(0.0, float((b - root) / a)), max(0.0, float((b + root) / a))


def _rule_ratio(shares: Vector, judged: list[int]) -> float | None:
    """The same ratio of the rule of today: its lowest group over its highest."""
    highest = float(shares[judged].max())
    return float(shares[judged].min()) / highest if highest > 0 else None
