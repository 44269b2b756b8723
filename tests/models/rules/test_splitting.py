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


def test_nobody_is_in_two_parts() -> None:
    when = moments(100)
    whom = np.array([f"c{n}" for n in range(len(when))], dtype=object)
    alone = split(when, labels(len(when)), timedelta(0), whom)
    whom[[2_900, 3_990, 3_991]] = "c0"  # taught, calibrated once and judged twice
    whom[3_900] = "c3000"  # calibrated and judged
    parts = split(when, labels(len(when)), timedelta(0), whom)
    assert (alone.entities_shared, alone.rows_shared) == (0, 0)
    assert (parts.entities_shared, parts.rows_shared) == (2, 4)
    assert list(parts.train) == list(alone.train)
    assert set(alone.calibrate) - set(parts.calibrate) == {2_900}
    assert set(alone.held_out) - set(parts.held_out) == {3_900, 3_990, 3_991}
    taught, calibrating, judging = (set(whom[part]) for part in (parts.train, parts.calibrate, parts.held_out))
    assert not (taught & calibrating or taught & judging or calibrating & judging)
    assert (parts.train_to, parts.calibrate_to) == (alone.train_to, alone.calibrate_to)


def test_an_entity_within_the_purge_gap_only_is_in_no_part_and_shares_nothing() -> None:
    when = moments(100)
    whom = np.arange(len(when))
    whom[3_990] = whom[2_790]  # of the last day before the boundary, which the purge gap takes
    assert split(when, labels(len(when)), timedelta(0), whom).rows_shared == 1
    assert split(when, labels(len(when)), timedelta(days=2), whom).rows_shared == 0


def test_too_little_is_left_to_judge_where_the_same_entities_come_again_and_again() -> None:
    when = moments(100)
    with pytest.raises(EvidenceMissing, match="The calibration part of the history needs at least 10 positive"):
        split(when, labels(len(when)), timedelta(0), np.arange(len(when)) % 50)
