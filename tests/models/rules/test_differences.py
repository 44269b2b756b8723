"""Paired differences to the rule: p-values, their correction, and how much more evidence would do."""

from __future__ import annotations

import numpy as np
import pytest

from pilotage.models.records import Estimate
from pilotage.models.rules import differences


def test_a_p_value_is_never_zero_and_one_where_nothing_differs() -> None:
    random = np.random.default_rng(1)
    assert differences.sign_flipped(np.full(60, 5.0), random) == 1 / (differences.FLIPS + 1)
    assert differences.sign_flipped(np.zeros(60), random) == 1


def test_a_few_days_prove_nothing_however_clear_they_are() -> None:
    """Of 2^4 flips two are as extreme: all as they were, and all the other way."""
    p = differences.sign_flipped(np.array([900.0, 1100, 1000, 950]), np.random.default_rng(1))
    assert p == 2 / 2**4


@pytest.mark.parametrize(("tried", "days"), [(1, 6), (2, 7), (3, 7), (4, 8), (10, 9)])
def test_on_the_least_days_that_are_asked_for_a_difference_can_show_and_on_fewer_it_cannot(
    tried: int, days: int
) -> None:
    assert differences.days_min(tried) == days
    lowest = [
        differences.holm([differences.sign_flipped(np.ones(count), np.random.default_rng(1))] * tried)[0]
        for count in (days, days - 1)
    ]
    assert lowest[0] <= differences.SIGNIFICANT < lowest[1]


def test_an_interval_above_zero_and_few_flips_that_show_as_much_are_both_asked_for() -> None:
    above, across = Estimate(10, 1, 20, 5), Estimate(10, -1, 20, 5)
    assert differences.is_significant(above, 0.05)
    assert not differences.is_significant(above, 0.06)
    assert not differences.is_significant(across, 0.01)


def test_where_only_chance_tells_candidates_apart_five_in_a_hundred_are_called_significant() -> None:
    """2,000 histories of 30 days with heavy tails, as money has them."""
    random = np.random.default_rng(2)
    found = np.array([_quick(random.standard_t(3, 30), random) for _ in range(2_000)])
    assert np.mean(found <= 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(found <= 0.5) == pytest.approx(0.5, abs=0.035)


def test_a_true_difference_of_three_standard_errors_is_found_mostly() -> None:
    random = np.random.default_rng(3)
    found = [_quick(random.normal(3 / np.sqrt(40), 1, 40), random) for _ in range(300)]
    assert np.mean(np.array(found) <= 0.05) > 0.75


def test_holm_corrects_step_by_step() -> None:
    assert differences.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert differences.holm([0.5, 0.9]) == [1.0, 1.0]
    assert differences.holm([]) == []


def test_of_ten_equal_challengers_holm_finds_one_in_no_more_than_five_families_of_a_hundred() -> None:
    """Uncorrected, about 40 of 100 independent families would hold a find."""
    random = np.random.default_rng(4)
    families = random.random((4_000, 10))
    assert np.mean([min(differences.holm(list(family))) <= 0.05 for family in families]) < 0.06
    assert np.mean((families <= 0.05).any(axis=1)) > 0.3


def test_as_many_days_as_are_said_to_be_needed_show_the_difference_in_four_cases_of_five() -> None:
    random = np.random.default_rng(5)
    difference, error, days = 1.0, 1.0, 25
    many = round(days * differences.growth(difference, error, days))
    spread = error * np.sqrt(days)  # of one day
    found = np.array([_quick(random.normal(difference, spread, many), random) for _ in range(600)])
    assert np.mean(found <= 0.05) == pytest.approx(0.8, abs=0.05)


def test_a_day_more_is_asked_for_at_least() -> None:
    assert differences.growth(1000, 1, days=4) == pytest.approx(5 / 4)


def test_of_several_tried_more_days_are_asked_for_and_flipped_days_are_believed_over_the_standard_error() -> None:
    assert differences.growth(2, 1, 40, tried=3) == pytest.approx(((2.394 + 0.842) / 2) ** 2, rel=0.01)
    assert differences.growth(2, 0.1, 40, p=0.0455) == pytest.approx(((1.960 + 0.842) / 2) ** 2, rel=0.01)
    assert differences.growth(2, 0.1, 40, p=1.0) == np.inf


@pytest.mark.parametrize(("count", "told"), [(0.4, 1), (7.2, 8), (12_345, 13_000), (99_100, 100_000)])
def test_estimates_are_told_with_two_digits(count: float, told: int) -> None:
    assert differences.rounded_up(count) == told


def _quick(per_day: np.ndarray, random: np.random.Generator) -> float:
    """The same with fewer flips, for simulations."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(differences, "FLIPS", 499)
        return differences.sign_flipped(per_day, random)
