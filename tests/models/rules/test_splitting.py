"""Old rows teach, newer ones calibrate, the newest judge."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from pilotage.models.rules.splitting import is_newest, set_apart, split
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
    # rows of day d are known on day d + 90 and some hours: of 53 days none before day 70, of 9 none before day 82
    assert (parts.train_late, parts.calibrate_late) == (1, 1)


def test_the_rows_that_the_embargo_leaves_in_are_counted() -> None:
    when = moments(100)
    parts = split(when, labels(len(when)), timedelta(days=20))
    # 17 of 70 days are left out, of the 53 others the newest 3 but one instant are late, and all of 9 that calibrate
    assert parts.train_late == pytest.approx((3 * 40 - 1) / (53 * 40))
    assert parts.calibrate_late == 1
    none = split(when, labels(len(when)), timedelta(days=2))
    assert (none.train_late, none.calibrate_late) == (0, 0)


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


def test_rows_that_the_file_sets_apart_judge_and_some_of_the_others_drawn_at_random_calibrate() -> None:
    count = 2_000
    judged = np.arange(count) % 4 == 0
    when = np.full(count, np.datetime64("2020-01-01T00:00:00", "us"))
    parts = set_apart(judged, when, labels(count), np.arange(count), "flag", np.random.default_rng(1))
    assert list(parts.held_out) == list(np.flatnonzero(judged))
    assert len(parts.train) + len(parts.calibrate) == 1_500
    assert 0.1 < len(parts.calibrate) / 1_500 < 0.2
    assert not set(parts.train) & set(parts.calibrate)
    assert not parts.clocked
    assert 50 < len(np.unique(parts.days)) <= 100
    again = set_apart(judged, when, labels(count), np.arange(count), "flag", np.random.default_rng(1))
    assert list(again.calibrate) == list(parts.calibrate)


def test_nobody_who_judges_was_learnt_from_where_the_file_sets_rows_apart_either() -> None:
    count = 2_000
    judged = np.arange(count) >= 1_500
    whom = np.arange(count)
    whom[1_900:] = np.arange(100)  # they are in the training or the calibration part, too
    when = np.full(count, np.datetime64("2020-01-01T00:00:00", "us"))
    parts = set_apart(judged, when, labels(count), whom, "flag", np.random.default_rng(1))
    assert len(parts.held_out) == 400
    assert parts.rows_shared == 100


@pytest.mark.parametrize("kind", ["category", "number"])
def test_thirty_rows_are_too_few_whatever_the_outcome_is(kind: str) -> None:
    when = moments(30, 1)
    with pytest.raises(EvidenceMissing, match="at least 200 rows with an outcome; there are 30"):
        split(when, np.arange(30.0), timedelta(0), kind=kind)  # type: ignore[arg-type]


def test_outcomes_that_never_differ_are_refused() -> None:
    when = moments(100)
    with pytest.raises(EvidenceMissing, match=r"outcomes that differ; all 4,000 are 3\.0"):
        split(when, np.full(len(when), 3.0), timedelta(0), kind="number")


def test_rows_set_apart_that_are_the_newest_are_judged_after_an_embargo_like_any_newest_ones() -> None:
    when = moments(100)
    judged = when >= np.datetime64("2013-03-12")  # the 71st day
    assert is_newest(judged, when)
    parts = split(when, labels(len(when)), timedelta(days=2), np.arange(len(when)), "flag", judged)
    assert list(parts.held_out) == list(np.flatnonzero(judged))
    assert parts.clocked
    boundary = np.datetime64(parts.calibrate_to.replace(tzinfo=None))
    assert boundary == np.datetime64("2013-03-12")
    assert when[parts.calibrate].max() < boundary - 2 * DAY
    assert when[parts.train].max() < np.datetime64(parts.train_to.replace(tzinfo=None)) - 2 * DAY
    assert 0.8 < len(parts.train) / (len(parts.train) + len(parts.calibrate)) < 0.95


def test_rows_set_apart_among_the_others_are_not_the_newest() -> None:
    when = moments(100)
    assert not is_newest(np.arange(len(when)) % 4 == 0, when)
    assert not is_newest(when >= np.datetime64("2013-01-10"), when)  # nine days are too few to learn and calibrate
    one_instant = np.full(len(when), np.datetime64("2013-01-01", "us"))
    assert not is_newest(np.arange(len(when)) > 3_000, one_instant)
