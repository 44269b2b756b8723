"""What a candidate is worth on every value of a category or group, beside the rule and beside all other decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Estimate, Slice
from pilotage.models.rules.differences import holm
from pilotage.models.rules.evaluation import HeldOut, estimate, mean_draws
from pilotage.models.rules.judging.judge import Judge, Judged

ROWS_MIN = 50
POSITIVES_MIN = 10
DAYS_MIN = 5
"""On fewer days a resample may hold none of them."""
SLICES_MAX = 60
RESAMPLES = 400
"""Fewer than for whole figures: there are many slices, and nothing is decided by them."""
TOLD = 3
SURE = 0.025
"""One side of 95 %: named as worse is what chance alone would show less often, all slices considered."""


def measured(
    judge: Judge, columns: Iterable[tuple[str, Sequence[str | None]]], model: Judged, rule: Judged
) -> tuple[tuple[Slice, ...], int]:
    """Every slice with enough rows and positive outcomes, worst against the rule first, and how many were left out.

    ``columns``: the name and one value per held-out row; a missing value is a slice like any other. Of more than
    ``SLICES_MAX`` the largest are measured.
    """
    time = replace(judge.time, weights=judge.time.weights[: RESAMPLES + 1])
    found = [(name, value, rows) for name, values in columns for value, rows in _parted(values)]
    fit = [one for one in found if is_enough(time, one[2])]
    fit.sort(key=lambda one: -len(one[2]))
    kept = [_slice(judge, time, name, value, rows, model, rule) for name, value, rows in fit[:SLICES_MAX]]
    kept.sort(key=lambda one: one.difference.value)
    return tuple(kept), len(found) - len(kept)


def _parted(values: Sequence[str | None]) -> list[tuple[str, NDArray[np.intp]]]:
    """The rows of each value."""
    texts = np.array(["" if value is None else str(value) for value in values])
    found, place = np.unique(texts, return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=len(found)))[:-1]
    return [(str(value), rows) for value, rows in zip(found, np.split(order, ends), strict=True)]


def is_enough(time: HeldOut, rows: NDArray[np.intp]) -> bool:
    labels = time.labels[rows]
    if len(np.unique(time.days[rows])) < DAYS_MIN:
        return False
    if labels.dtype != np.bool_:
        return len(labels) >= ROWS_MIN
    return len(labels) >= ROWS_MIN and int(labels.sum()) >= POSITIVES_MIN and not labels.all()


def _slice(
    judge: Judge, time: HeldOut, name: str, value: str, rows: NDArray[np.intp], model: Judged, rule: Judged
) -> Slice:
    part = _part(time, rows)
    elsewhere, behind = _behind(judge, time, rows, model)
    return Slice(
        column=name,
        value=value,
        rows=len(rows),
        positives=int(part.labels.sum()) if judge.kind == "flag" else None,
        money=estimate(1000 * mean_draws(part, model.money_rows[rows])),
        difference=estimate(1000 * mean_draws(part, model.money_rows[rows] - rule.money_rows[rows])),
        measure=judge.part_measure(part, model, rows),
        elsewhere=elsewhere,
        behind=behind,
    )


def _part(time: HeldOut, rows: NDArray[np.intp]) -> HeldOut:
    return HeldOut(time.labels[rows], time.days[rows], time.weights)


def _behind(judge: Judge, time: HeldOut, rows: NDArray[np.intp], model: Judged) -> tuple[float | None, Estimate | None]:
    """The main measure on all other decisions, and how much worse it is on these."""
    others = np.setdiff1d(np.arange(len(time.labels)), rows, assume_unique=True)
    if not is_enough(time, others):
        return None, None
    here = judge.main_draws(_part(time, rows), model.said, rows)
    there = judge.main_draws(_part(time, others), model.said, others)
    return float(there[0]), estimate(here - there if judge.kind == "number" else there - here)


def behind_others(found: Sequence[Slice]) -> list[Slice]:
    """Where a candidate is surely worse than on all other decisions; those that lag behind most come first."""
    told = [(one, one.behind) for one in found if one.behind is not None]
    worse = _sure([(one, behind.value, behind.error) for one, behind in told])
    return [one for _, one in sorted(worse, key=lambda each: -each[0])]


def below_rule(found: Sequence[Slice]) -> list[Slice]:
    """Where a candidate surely earns less than the rule; those that lose most come first."""
    worse = _sure([(one, -one.difference.value, one.difference.error) for one in found])
    return [one for _, one in sorted(worse, key=lambda each: -each[0])]


def _sure(worse: Sequence[tuple[Slice, float, float]]) -> list[tuple[float, Slice]]:
    """Slices that are worse, by how much, with more than chance explains: all of them considered (Holm 1979)."""
    chances = [0.5 * erfc(by / error / sqrt(2)) if error > 0 else 1.0 for _, by, error in worse]
    return [(by, one) for (one, by, _), p in zip(worse, holm(chances), strict=True) if p < SURE]
