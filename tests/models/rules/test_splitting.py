"""Old rows teach, newer ones calibrate, the newest judge."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from pilotage.models.rules.splitting import split
from pilotage.platform.errors import EvidenceMissing

DAY = np.timedelta64(1, "D")


def moments(days: int, rows_per_day: int = 40) -> np.ndarray:
    start = np.datetime64("2013-01-01T00:00:00", "us")
    return start + np.arange(days * rows_per_day) * (np.timedelta64(86_400_000_000, "us") // rows_per_day)


def labels(count: int) -> np.ndarray:
    return np.arange(count) % 5 == 0


def test_parts_follow_each_other_at_midnight_and_share_no_day() -> None:
    when = moments(100)
    parts = split(when, labels(len(when)), timedelta(0))
    assert [len(parts.train), len(parts.calibrate), len(parts.held_out)] == [2800, 480, 720]
    assert when[parts.train].max() < np.datetime64(parts.train_to.replace(tzinfo=None))
    assert when[parts.calibrate].min() >= np.datetime64(parts.train_to.replace(tzinfo=None))
    assert when[parts.held_out].min() >= np.datetime64(parts.calibrate_to.replace(tzinfo=None))
    assert not set(parts.days[parts.calibrate]) & (set(parts.days[parts.train]) | set(parts.days[parts.held_out]))


def test_rows_whose_outcome_was_not_yet_known_are_left_out() -> None:
    when = moments(100)
    parts = split(when, labels(len(when)), timedelta(days=2))
    assert when[parts.train].max() < np.datetime64(parts.train_to.replace(tzinfo=None)) - 2 * DAY
    assert len(parts.held_out) == 720


def test_a_long_maturing_time_takes_at_most_a_quarter_of_a_part() -> None:
    when = moments(100)
    parts = split(when, labels(len(when)), timedelta(days=90))
    assert len(parts.train) == 2800 - 17 * 40


def test_too_few_positive_outcomes_are_refused() -> None:
    when = moments(100)
    found = np.zeros(len(when), dtype=bool)
    found[:49] = True
    with pytest.raises(EvidenceMissing, match="at least 50 positive outcomes; there are 49"):
        split(when, found, timedelta(0))


def test_a_single_class_is_refused() -> None:
    when = moments(100)
    with pytest.raises(EvidenceMissing, match="needs rows with a negative outcome"):
        split(when, np.ones(len(when), dtype=bool), timedelta(0))


def test_too_few_days_are_refused() -> None:
    when = moments(10, 100)
    with pytest.raises(EvidenceMissing, match="at least 20 days"):
        split(when, labels(len(when)), timedelta(0))


def test_a_part_without_positive_outcomes_is_named() -> None:
    when = moments(100)
    found = labels(len(when))
    found[-1000:] = False
    with pytest.raises(EvidenceMissing, match="held-out part"):
        split(when, found, timedelta(0))
