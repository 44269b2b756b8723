"""When two answers are two decisions, for yes or no, categories and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from pilotage.decisions.parity import choosing
from pilotage.decisions.parity.answers import Policy

UP, DOWN = math.nextafter(0.5, 1.0), math.nextafter(0.5, 0.0)
FLAG, SURE = Policy("flag", 0.5), Policy("category", 0.5)
NUMBER = Policy("number", 30.0, width=10.0)


@pytest.mark.parametrize(
    ("policy", "trained", "live", "flips"),
    [
        (FLAG, [0.5], [0.5], False),
        (FLAG, [0.5], [DOWN], True),
        (FLAG, [0.5], [UP], True),  # one ulp above, a threshold of one ulp more parts them
        (FLAG, [0.2], [0.4], False),
        (FLAG, [0.6], [math.nextafter(0.6, 1.0)], False),
        (SURE, [0.6, 0.4], [0.4, 0.6], True),
        (SURE, [0.5, 0.3], [DOWN, 0.3], True),
        (SURE, [0.7, 0.3], [0.6, 0.4], False),
        (Policy("category", None), [0.5, 0.3], [0.4, 0.3], False),
        (NUMBER, [30.0, 25.0, 34.0], [29.9, 25.0, 34.0], True),
        (NUMBER, [20.0, 15.0, 25.0], [20.0, 15.0, math.nextafter(25.0, 26.0)], True),
        (NUMBER, [20.0, 15.0, 24.0], [21.0, 15.0, 24.0], False),
        (Policy("number", None), [20.0, 15.0, 24.0], [99.0, 15.0, 24.0], False),
    ],
)
def test_a_flip_is_another_side_of_a_bound_or_of_one_ulp_beside_it(
    policy: Policy, trained: Sequence[float], live: Sequence[float], flips: bool
) -> None:
    assert policy.flips(trained, live) is flips


def test_the_nearest_rows_are_those_where_least_is_missing_to_another_decision() -> None:
    shares = np.array([[0.9, 0.1], [0.52, 0.48], [0.7, 0.3], [0.51, 0.4]])
    assert SURE.distances(shares) == pytest.approx([0.4, 0.02, 0.2, 0.01])
    values = np.array([[31.0, 20.0, 40.0], [90.0, 86.0, 95.5], [np.nan, np.nan, np.nan]])
    assert NUMBER.distances(values) == pytest.approx([1.0, 0.5, np.inf])


def test_rows_that_must_be_asked_are_among_exactly_so_many() -> None:
    first = np.array([3, 4, 5, 49_999])
    chosen = choosing.together(50_000, first)
    assert len(chosen) == len(set(chosen)) == choosing.ROWS_MAX
    assert set(first) <= set(chosen)
    assert max(np.diff(chosen)) < 10  # no stretch of time is left out
    assert len(choosing.together(70, first[:3])) == 70
