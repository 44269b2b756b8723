"""Whether a candidate stays as good as it was: its measure week by week or month by month of the held-out time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import CandidateName, Period, Stability
from pilotage.models.rules.evaluation import HeldOut, estimate, mean_draws
from pilotage.models.rules.judging.judge import Answers, Judge
from pilotage.models.rules.slices import is_enough

WEEKS_MAX = 16
PERIODS_MIN = 2
RESAMPLES = 400
Days = NDArray[np.int64]


def measured(judge: Judge, candidate: CandidateName, said: Answers, days: Days) -> Stability | None:
    """By weeks, or by months where there are more than 16; ``days`` counted from 1970, per held-out row.

    Periods with too few rows, positive outcomes or days are left out; None where fewer than two are left, or a half of
    the time is too small.
    """
    span, begins = _periods(days)
    time = replace(judge.time, weights=judge.time.weights[: RESAMPLES + 1])
    earned = judge.earned(said)
    periods = []
    for begin in np.unique(begins):
        rows = np.flatnonzero(begins == begin)
        if is_enough(time, rows):
            part = _part(time, rows)
            measure = estimate(judge.main_draws(part, said, rows))
            money = estimate(1000 * mean_draws(part, earned[rows]))
            periods.append(Period(_instant(int(begin)), len(rows), measure, money))
    known = np.unique(days)
    middle = known[len(known) // 2]
    halves = [np.flatnonzero(days < middle), np.flatnonzero(days >= middle)]
    if len(periods) < PERIODS_MIN or not all(is_enough(judge.time, rows) for rows in halves):
        return None
    first, second = (judge.main_draws(_part(judge.time, rows), said, rows) for rows in halves)
    change = estimate(second - first)
    return Stability(candidate, span, tuple(periods), change, (float(first[0]), float(second[0])))


def _part(time: HeldOut, rows: NDArray[np.intp]) -> HeldOut:
    return HeldOut(time.labels[rows], time.days[rows], time.weights)


def _periods(days: Days) -> tuple[str, Days]:
    """The kind of period, and per row the day on which its period begins; weeks begin on Mondays."""
    weeks = days - (days + 3) % 7  # 1970 began on a Thursday
    if len(np.unique(weeks)) <= WEEKS_MAX:
        return "week", weeks
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return "month", months


def _instant(day: int) -> datetime:
    return datetime.fromtimestamp(day * 86_400, tz=UTC)
