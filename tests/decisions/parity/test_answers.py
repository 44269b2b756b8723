"""When two answers are two decisions, for yes or no, categories and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from pilotage.decisions.parity import choosing
from pilotage.decisions.parity.answers import Policy, policy_of
from pilotage.models.scoring import Scorer

UP, DOWN = math.nextafter(0.5, 1.0), math.nextafter(0.5, 0.0)
FLAG, SURE = Policy("flag", (0.5,)), Policy("category", (0.5,))
BAND = Policy("flag", (0.5, 0.4, 0.6))
NUMBER = Policy("number", (30.0,), width=10.0)


@pytest.mark.parametrize(
    ("policy", "trained", "live", "flips"),
    [
        (FLAG, [0.5], [0.5], False),
        (FLAG, [0.5], [DOWN], True),
        (FLAG, [0.5], [UP], True),  # one ulp above, a threshold of one ulp more parts them
        (FLAG, [0.2], [0.4], False),
        (FLAG, [0.6], [math.nextafter(0.6, 1.0)], False),
        (BAND, [0.39999], [0.40001], True),  # a person looks at one of them
        (BAND, [0.6], [math.nextafter(0.6, 1.0)], True),
        (BAND, [0.41], [0.49], False),
        (SURE, [0.6, 0.4], [0.4, 0.6], True),
        (SURE, [0.5, 0.3], [DOWN, 0.3], True),
        (SURE, [0.7, 0.3], [0.6, 0.4], False),
        (Policy("category", ()), [0.5, 0.3], [0.4, 0.3], False),
        (NUMBER, [30.0, 25.0, 34.0], [29.9, 25.0, 34.0], True),
        (NUMBER, [20.0, 15.0, 25.0], [20.0, 15.0, math.nextafter(25.0, 26.0)], True),
        (NUMBER, [20.0, 15.0, 24.0], [21.0, 15.0, 24.0], False),
        (Policy("number", ()), [20.0, 15.0, 24.0], [99.0, 15.0, 24.0], False),
    ],
)
def test_a_flip_is_another_side_of_a_bound_or_of_one_ulp_beside_it(
    policy: Policy, trained: Sequence[float], live: Sequence[float], flips: bool
) -> None:
    assert policy.flips(trained, live) is flips


def test_the_nearest_rows_are_those_where_least_is_missing_to_another_decision() -> None:
    shares = np.array([[0.9, 0.1], [0.52, 0.48], [0.7, 0.3], [0.51, 0.4]])
    assert SURE.distances(shares).min(axis=1) == pytest.approx([0.4, 0.02, 0.2, 0.01])
    values = np.array([[31.0, 20.0, 40.0], [90.0, 86.0, 95.5], [np.nan, np.nan, np.nan]])
    assert NUMBER.distances(values).min(axis=1) == pytest.approx([1.0, 0.5, np.inf])


def test_a_flag_has_its_threshold_and_the_ends_of_its_band_but_none_at_nought_or_one() -> None:
    def bounds(low: float, high: float) -> tuple[float, ...]:
        manifest = SimpleNamespace(threshold=0.25, uncertain_low=low, uncertain_high=high)
        return policy_of(cast(Scorer, SimpleNamespace(kind="flag", manifest=manifest))).bounds

    assert bounds(0.22, 0.28) == (0.25, 0.22, 0.28)
    assert bounds(0.0, 1.0) == bounds(0.25, 0.25) == (0.25,)


def test_rows_next_to_every_bound_are_asked_also_where_scores_lie_dense_at_one() -> None:
    dense, sparse = np.linspace(0.49, 0.51, 5_000), np.linspace(0.3, 0.44, 500)
    scores = np.concatenate([dense, sparse]).reshape(-1, 1)
    near = choosing.nearest(np.arange(len(scores)), BAND.distances(scores))
    assert len(near) == len(set(near.tolist())) == choosing.NEAR_MAX
    at_low = np.abs(scores[near, 0] - 0.4) < 0.03
    assert at_low.sum() > 100


def test_rows_that_must_be_asked_are_among_exactly_so_many() -> None:
    first = np.array([3, 4, 5, 49_999])
    chosen = choosing.together(50_000, first)
    assert len(chosen) == len(set(chosen)) == choosing.ROWS_MAX
    assert set(first) <= set(chosen)
    assert max(np.diff(chosen)) < 10  # no stretch of time is left out
    assert len(choosing.together(70, first[:3])) == 70
