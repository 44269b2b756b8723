"""Folds inside the training part, on which settings are tried: no later row, and nobody who was learnt from, judges.

With a clock the window expands: older rows teach, the rows after them stop the learning, the newest of the fold judge.
A row whose outcome was not known when the next part began is left out, as in :mod:`splitting`. Without a clock
entities are dealt out at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from pilotage.models.rules.splitting import EMBARGO_SHARE_MAX

FOLDS = 3
FIRST_SHARE = 0.4
"""Of the training part, that teaches in the first fold; the rest is judged in equal parts."""
WATCH_SHARE = 1 / 3
"""Of the rows after those that teach: they stop the learning and calibrate; the others judge."""

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Positions of the rows that teach, that are watched while learning, and that judge."""

    learn: Positions
    watch: Positions
    judge: Positions


def by_time(
    train: Positions, days: NDArray[np.int64], entities: NDArray[np.generic], matures: timedelta
) -> tuple[Fold, ...]:
    """Expanding windows over the positions of the training part, sorted by time; ``days`` and ``entities`` of all."""
    mine = days[train]
    begins = [_begin(mine, FIRST_SHARE + (1 - FIRST_SHARE) * number / FOLDS) for number in range(FOLDS)]
    ends = [*begins[1:], int(mine[-1]) + 1]
    gap = max(0, int(np.ceil(matures / timedelta(days=1))))
    first = int(mine[0])
    found = []
    for begin, end in zip(begins, ends, strict=True):
        inside = mine[(mine >= begin) & (mine < end)]
        if begin <= first or not len(inside):
            continue
        judged = max(_begin(inside, WATCH_SHARE), begin + 1)
        learn = train[mine < begin - _gap(gap, begin - first)]
        watch = train[(mine >= begin) & (mine < judged - _gap(gap, judged - begin))]
        found.append(_apart(learn, watch, train[(mine >= judged) & (mine < end)], entities))
    return tuple(found)


def by_entity(train: Positions, entities: NDArray[np.generic], random: np.random.Generator) -> tuple[Fold, ...]:
    """Each entity of the training part judges or is watched in one fold and teaches in the others."""
    known, place = np.unique(entities[train], return_inverse=True)
    dealt = random.permutation(len(known)) % FOLDS
    watched = random.random(len(known)) < WATCH_SHARE
    fold, watches = dealt[place], watched[place]
    return tuple(
        Fold(train[fold != number], train[(fold == number) & watches], train[(fold == number) & ~watches])
        for number in range(FOLDS)
    )


def _begin(days: NDArray[np.int64], share: float) -> int:
    """The day at which this share of the rows has passed."""
    return int(days[int(len(days) * share)])


def _gap(gap: int, days: int) -> int:
    return min(gap, int(days * EMBARGO_SHARE_MAX))


def _apart(learn: Positions, watch: Positions, judge: Positions, entities: NDArray[np.generic]) -> Fold:
    """Nobody is in two parts: whom an earlier part has is left out of the later ones."""
    watch = watch[~np.isin(entities[watch], entities[learn])]
    return Fold(learn, watch, judge[~np.isin(entities[judge], entities[np.concatenate([learn, watch])])])
