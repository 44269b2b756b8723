"""Old rows teach, newer ones calibrate, the newest judge. Boundaries lie between whole days, in UTC.

Nobody is judged who was learnt from: of an entity in several parts only the rows of the earliest part are used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pilotage.platform.errors import EvidenceMissing

TRAIN_SHARE = 0.70
CALIBRATE_SHARE = 0.12
DAYS_MIN = 20
POSITIVES_MIN = 50
POSITIVES_PART_MIN = 10
EMBARGO_SHARE_MAX = 0.25


@dataclass(frozen=True)
class Split:
    """Positions of the rows of each part, and the day (counted from 1970) of every row.

    ``entities_shared`` occur in several parts; ``rows_shared`` of theirs were left out of the later parts.
    """

    train: NDArray[np.intp]
    calibrate: NDArray[np.intp]
    held_out: NDArray[np.intp]
    days: NDArray[np.int64]
    train_to: datetime
    calibrate_to: datetime
    held_out_to: datetime
    entities_shared: int = 0
    rows_shared: int = 0


def split(
    moments: NDArray[np.datetime64],
    labels: NDArray[np.bool_],
    matures: timedelta,
    entities: NDArray[np.generic] | None = None,
) -> Split:
    """Part rows, sorted by moment, by time.

    A row whose outcome was not yet known at the end of its part is left out of training and calibration (an embargo),
    as it would have been left out on that day; the embargo takes at most a quarter of the part's days.
    With ``entities``, whom each row is about, nobody is in two parts.

    Raises:
        EvidenceMissing: too few days or positive outcomes to learn and to judge.
    """
    days = moments.astype("datetime64[D]").astype(np.int64)
    _demand_enough(days, labels)
    first, last = int(days[0]), int(days[-1])
    train_end = _boundary(days, TRAIN_SHARE, first + 1, last - 1)
    calibrate_end = _boundary(days, TRAIN_SHARE + CALIBRATE_SHARE, train_end + 1, last)
    embargo = max(0, int(np.ceil(matures / timedelta(days=1))))
    train_last = train_end - min(embargo, int((train_end - first) * EMBARGO_SHARE_MAX))
    calibrate_last = calibrate_end - min(embargo, int((calibrate_end - train_end) * EMBARGO_SHARE_MAX))
    parts = Split(
        train=np.flatnonzero(days < train_last),
        calibrate=np.flatnonzero((days >= train_end) & (days < calibrate_last)),
        held_out=np.flatnonzero(days >= calibrate_end),
        days=days,
        train_to=_instant(train_end),
        calibrate_to=_instant(calibrate_end),
        held_out_to=_instant(last + 1),
    )
    if entities is not None:
        parts = _by_entity(parts, entities)
    for name, part in (("training", parts.train), ("calibration", parts.calibrate), ("held-out", parts.held_out)):
        _demand_both(name, labels[part])
    return parts


def _by_entity(parts: Split, entities: NDArray[np.generic]) -> Split:
    """Leave out of each later part whom an earlier one has."""
    taught, calibrating, judging = (entities[part] for part in (parts.train, parts.calibrate, parts.held_out))
    known = np.isin(calibrating, taught)
    judged = np.isin(judging, np.concatenate([taught, calibrating]))
    if not known.any() and not judged.any():
        return parts
    return replace(
        parts,
        calibrate=parts.calibrate[~known],
        held_out=parts.held_out[~judged],
        entities_shared=len(np.unique(np.concatenate([calibrating[known], judging[judged]]))),
        rows_shared=int(known.sum() + judged.sum()),
    )


def _boundary(days: NDArray[np.int64], share: float, low: int, high: int) -> int:
    """The beginning of the day that comes nearest to this share of the rows."""
    day = int(days[int(len(days) * share)])
    before = int(np.searchsorted(days, day)) / len(days)
    after = int(np.searchsorted(days, day + 1)) / len(days)
    nearest = day if share - before <= after - share else day + 1
    return min(max(nearest, low), high)


def _demand_enough(days: NDArray[np.int64], labels: NDArray[np.bool_]) -> None:
    positives, found = int(labels.sum()), len(np.unique(days))
    if positives < POSITIVES_MIN:
        raise EvidenceMissing(
            f"Training needs at least {POSITIVES_MIN} positive outcomes; there are {positives} in {len(days):,} rows.",
            "Sync more history, or look at the outcome's expression: pilotage audit.",
        )
    if positives == len(labels):
        raise EvidenceMissing(
            f"Training needs rows with a negative outcome; all {positives:,} outcomes are positive.",
            "Look at the outcome's expression: pilotage audit.",
        )
    if found < DAYS_MIN:
        raise EvidenceMissing(
            f"Training needs at least {DAYS_MIN} days with outcomes, to judge on days not seen; there are {found}.",
            "Sync more history.",
        )


def _demand_both(name: str, labels: NDArray[np.bool_]) -> None:
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if min(positives, negatives) < POSITIVES_PART_MIN:
        raise EvidenceMissing(
            f"The {name} part of the history needs at least {POSITIVES_PART_MIN} positive and negative outcomes; "
            f"it has {positives} and {negatives}.",
            "Sync more history, or look whether outcomes stopped arriving: pilotage audit.",
        )


def _instant(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
