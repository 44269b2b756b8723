"""A task on some of its rows: a fold of a search, or the newest rows of a learning curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from pilotage.models.flow.task import Task, classes_of, coded, judge_of
from pilotage.models.rules.folds import Fold
from pilotage.models.rules.splitting import Split


def part_of(task: Task, fold: Fold) -> Task:
    """The same task with other rows in its parts: encoders, classes and judge know nothing but these.

    The share of decisions whose outcome is known stays the task's: the training part's own rows cannot tell it.
    """
    positions = np.concatenate([fold.learn, fold.watch, fold.judge])
    rows = task.rows.take(pa.array(positions))
    ends = np.cumsum([len(fold.learn), len(fold.watch), len(fold.judge)])
    split: Split = replace(
        task.split,
        train=np.arange(ends[0]),
        calibrate=np.arange(ends[0], ends[1]),
        held_out=np.arange(ends[1], ends[2]),
        days=task.split.days[positions],
    )
    classes = classes_of(rows["label"].to_numpy()[split.train]) if task.kind == "category" else ()
    labels = coded(rows["label"], task.kind, classes)
    judge = judge_of(task.definition, labels, classes, split, task.share)
    return Task(task.definition, task.training_set, rows, labels, classes, split, judge, task.share)
