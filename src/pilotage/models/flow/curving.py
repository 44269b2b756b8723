"""Would more data help? The model taught again by ever more of the newest rows, judged on the same decisions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pilotage.models.families import Candidate
from pilotage.models.families.candidate import Settings
from pilotage.models.flow.part import part_of
from pilotage.models.flow.retraining import retrained
from pilotage.models.flow.task import Task, classes_of
from pilotage.models.records import Estimate, Learning, Part
from pilotage.models.rules.enough import POSITIVES_PART_MIN, ROWS_PART_MIN
from pilotage.models.rules.evaluation import estimate
from pilotage.models.rules.folds import Fold
from pilotage.models.rules.judging.judge import Answers
from pilotage.models.rules.paired import Drawn, drawn

SHARES = (1 / 8, 1 / 4, 1 / 2)
GROWTH_MIN = 1.5
"""Parts that lie closer together say nothing about twice as many rows: a family may draw as many of both."""


def learning(
    task: Task,
    candidate: Candidate,
    settings: Settings,
    whole: tuple[Answers, int],
    taken_seconds: float,
    allowed_seconds: float,
) -> Learning:
    """``whole`` is what it answers and how many rows taught it, for which ``taken_seconds`` were needed.

    A part that would go beyond ``allowed_seconds`` for all parts together, by that measure, is skipped.
    """
    train = task.split.train
    found: list[tuple[int, Drawn]] = []
    skipped, spent = [], 0.0
    for share in SHARES:
        newest = train[len(train) - int(len(train) * share) :]
        if not _can_teach(task, newest):
            continue
        if spent + share * taken_seconds > allowed_seconds:
            skipped.append(len(newest))
            continue
        spent += share * taken_seconds
        part = part_of(task, Fold(newest, task.split.calibrate, task.split.held_out))
        said, rows = retrained(part, candidate, settings)
        found.append((rows, drawn(part.judge, said)))
    found.append((whole[1], drawn(task.judge, whole[0])))
    loss, measure, money = _doubled(found)
    parts = tuple(_part(rows, one) for rows, one in found)
    return Learning(candidate.name, parts, loss, measure, money, tuple(skipped))


def _doubled(found: list[tuple[int, Drawn]]) -> tuple[Estimate | None, Estimate | None, Estimate | None]:
    """What twice as many rows changed, from all rows and the part before: less loss, more measure, more money."""
    more, after = found[-1]
    earlier = [one for one in found[:-1] if one[0] * GROWTH_MIN <= more]
    if not earlier:
        return None, None, None
    fewer, before = earlier[-1]
    slope = after.minus(before).over(math.log2(more / fewer))
    return estimate(-slope.loss), estimate(slope.measure), estimate(slope.money)


def _part(rows: int, one: Drawn) -> Part:
    money, loss, measure = one.estimates
    return Part(rows=rows, measure=measure, loss=loss, money=money)


def _can_teach(task: Task, positions: NDArray[np.intp]) -> bool:
    labels = task.labels[positions]
    if task.kind == "flag":
        return min(int(labels.sum()), int((~labels).sum())) >= POSITIVES_PART_MIN
    if task.kind == "category":
        return len(labels) >= ROWS_PART_MIN and len(classes_of(labels)) > 1
    return len(labels) >= ROWS_PART_MIN and len(np.unique(labels)) > 1
