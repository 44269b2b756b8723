"""Old rows teach, newer ones calibrate, the newest judge. Boundaries lie between whole days, in UTC.

Nobody is judged who was learnt from: of an entity in several parts only the rows of the earliest part are used. Where
the file says which rows judge, as data without a clock need it, a part of the others drawn at random calibrates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.rules.enough import demand_enough, demand_in_part
from pilotage.platform.errors import EvidenceMissing
from pilotage.usecase.records import OutcomeKind

TRAIN_SHARE = 0.70
CALIBRATE_SHARE = 0.12
CALIBRATE_DRAWN = 0.15
"""Of the rows that do not judge, where the file says which ones do."""
DAYS_MIN = 20
EMBARGO_SHARE_MAX = 0.25
OVERLAP_SHARE_MAX = 0.01
"""So many of all rows may lie beside the first judged ones, as those of their first day do; they are left out."""
GROUPS = 100
"""Rows without a clock are resampled in so many groups, drawn at random."""


@dataclass(frozen=True)
class Split:
    """Positions of the rows of each part, and the day (counted from 1970) of every row, or its group without a clock.

    ``entities_shared`` occur in several parts; ``rows_shared`` of theirs were left out of the later parts. ``clocked``:
    whether parts follow each other in time. ``train_late`` and ``calibrate_late`` are the shares of rows whose outcome
    became known only after the next part begins.
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
    clocked: bool = True
    train_late: float = 0.0
    calibrate_late: float = 0.0


def split(
    moments: NDArray[np.datetime64],
    labels: NDArray[Any],
    matures: timedelta,
    entities: NDArray[np.generic] | None = None,
    kind: OutcomeKind = "flag",
    judged: NDArray[np.bool_] | None = None,
) -> Split:
    """Part rows, sorted by moment, by time.

    A row whose outcome was not yet known at the end of its part is left out of training and calibration (an embargo),
    as it would have been left out on that day; the embargo takes at most a quarter of the part's days,
    and what it leaves in is counted (``train_late``, ``calibrate_late``).
    With ``entities``, whom each row is about, nobody is in two parts. With ``judged``, rows that the file sets apart as
    the newest (see :func:`is_newest`), these judge, and what lies before their first day teaches and calibrates.

    Raises:
        EvidenceMissing: too few days or outcomes to learn and to judge.
    """
    days = moments.astype("datetime64[D]").astype(np.int64)
    demand_enough(kind, labels)
    _demand_days(days)
    first, last = int(days[0]), int(days[-1])
    taught = TRAIN_SHARE / (TRAIN_SHARE + CALIBRATE_SHARE)
    if judged is None:
        train_end = _boundary(days, TRAIN_SHARE, first + 1, last - 1)
        calibrate_end = _boundary(days, TRAIN_SHARE + CALIBRATE_SHARE, train_end + 1, last)
    else:
        calibrate_end = int(days[judged].min())
        train_end = _boundary(days[days < calibrate_end], taught, first + 1, calibrate_end - 1)
    embargo = max(0, int(np.ceil(matures / timedelta(days=1))))
    train_last = train_end - min(embargo, int((train_end - first) * EMBARGO_SHARE_MAX))
    calibrate_last = calibrate_end - min(embargo, int((calibrate_end - train_end) * EMBARGO_SHARE_MAX))
    parts = Split(
        train=np.flatnonzero(days < train_last),
        calibrate=np.flatnonzero((days >= train_end) & (days < calibrate_last)),
        held_out=np.flatnonzero((days >= calibrate_end) if judged is None else judged),
        days=days,
        train_to=_instant(train_end),
        calibrate_to=_instant(calibrate_end),
        held_out_to=_instant(last + 1),
    )
    if entities is not None:
        parts = _by_entity(parts, entities)
    _demand_parts(kind, labels, parts)
    known = moments + np.timedelta64(matures)
    return replace(
        parts,
        train_late=_late(known[parts.train], train_end),
        calibrate_late=_late(known[parts.calibrate], calibrate_end),
    )


def is_newest(judged: NDArray[np.bool_], moments: NDArray[np.datetime64]) -> bool:
    """Whether the rows that the file sets apart are the newest ones, over enough days to part the others by time."""
    days = moments.astype("datetime64[D]").astype(np.int64)
    first = int(days[judged].min())
    overlap = int((~judged & (days >= first)).sum())
    before = len(np.unique(days[days < first]))
    return before >= DAYS_MIN and overlap <= OVERLAP_SHARE_MAX * len(days)


def set_apart(
    judged: NDArray[np.bool_],
    moments: NDArray[np.datetime64],
    labels: NDArray[Any],
    entities: NDArray[np.generic],
    kind: OutcomeKind,
    random: np.random.Generator,
) -> Split:
    """Part rows as the file says which ones judge, without regard to time; of the others some, drawn, calibrate.

    Raises:
        EvidenceMissing: too few outcomes to learn and to judge.
    """
    demand_enough(kind, labels)
    rest = np.flatnonzero(~judged)
    drawn = random.random(len(rest)) < CALIBRATE_DRAWN
    days = moments.astype("datetime64[D]").astype(np.int64)
    clocked = len(np.unique(days)) >= DAYS_MIN
    end = _instant(int(days[-1]) + 1)
    parts = Split(
        train=rest[~drawn],
        calibrate=rest[drawn],
        held_out=np.flatnonzero(judged),
        days=days if clocked else random.integers(0, GROUPS, len(days)),
        train_to=end,
        calibrate_to=end,
        held_out_to=end,
        clocked=False,
    )
    parts = _by_entity(parts, entities)
    _demand_parts(kind, labels, parts)
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


def _late(known: NDArray[np.datetime64], day: int) -> float:
    """The share of outcomes that became known only after the beginning of this day."""
    return float((known > np.datetime64(day, "D")).mean())


def _boundary(days: NDArray[np.int64], share: float, low: int, high: int) -> int:
    """The beginning of the day that comes nearest to this share of the rows."""
    day = int(days[int(len(days) * share)])
    before = int(np.searchsorted(days, day)) / len(days)
    after = int(np.searchsorted(days, day + 1)) / len(days)
    nearest = day if share - before <= after - share else day + 1
    return min(max(nearest, low), high)


def _demand_days(days: NDArray[np.int64]) -> None:
    found = len(np.unique(days))
    if found < DAYS_MIN:
        raise EvidenceMissing(
            f"Training needs at least {DAYS_MIN} days with outcomes, to judge on days not seen; there are {found}.",
            "Sync more history, or say in decision.judged which cases judge.",
        )


def _demand_parts(kind: OutcomeKind, labels: NDArray[Any], parts: Split) -> None:
    for name, part in (("training", parts.train), ("calibration", parts.calibrate), ("held-out", parts.held_out)):
        demand_in_part(kind, name, labels[part])


def _instant(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
