"""What a candidate is worth on every value of a category or group, beside the rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Slice
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
    part = HeldOut(time.labels[rows], time.days[rows], time.weights)
    return Slice(
        column=name,
        value=value,
        rows=len(rows),
        positives=int(part.labels.sum()) if judge.kind == "flag" else None,
        money=estimate(1000 * mean_draws(part, model.money_rows[rows])),
        difference=estimate(1000 * mean_draws(part, model.money_rows[rows] - rule.money_rows[rows])),
        measure=judge.part_measure(part, model, rows),
    )
