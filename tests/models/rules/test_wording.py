"""What was measured, in sentences that say no more than the intervals do."""

from __future__ import annotations

import msgspec

from pilotage.models.records import Comparison, Estimate, Slice
from pilotage.models.rules import wording
from tests.models.conftest import Trained


def around(value: float, error: float) -> Estimate:
    return Estimate(value, value - 1.96 * error, value + 1.96 * error, error)


def corporate(behind: float, difference: float) -> Slice:
    """A slice that is off by 16.75, with so much more than elsewhere; it earns so much more than the rule."""
    off = around(16.75, 1.5)
    return Slice(
        "segment", "corporate", 266, None, off, around(difference, 900.0), off, 16.75 - behind, around(behind, 1.5)
    )


def of_numbers(comparison: Comparison, *slices: Slice) -> Comparison:
    return msgspec.structs.replace(comparison, kind="number", slices=slices, slices_left_out=4)


def test_a_slice_that_does_better_than_the_rest_is_not_called_the_worst(trained: Trained) -> None:
    better = of_numbers(trained.comparison, corporate(behind=-2.0, difference=5321.0))
    assert wording.worst_slices(better) == [wording.NOWHERE]
    by_chance = of_numbers(trained.comparison, corporate(behind=2.0, difference=5321.0))
    assert wording.worst_slices(by_chance) == [wording.NOWHERE]


def test_a_slice_that_is_surely_worse_is_told_beside_all_others(trained: Trained) -> None:
    (told,) = wording.worst_slices(of_numbers(trained.comparison, corporate(behind=6.0, difference=5321.0)))
    assert told.startswith(
        "Where segment is corporate (266 decisions), mean error is 16.75 (13.81 to 19.69), on all others 10.75; "
    )
    assert "it is worth 5,321 USD more than the rule per 1,000" in told
    (loses,) = wording.worst_slices(of_numbers(trained.comparison, corporate(behind=-6.0, difference=-5321.0)))
    assert "it is worth 5,321 USD less than the rule per 1,000" in loses


def test_of_numbers_small_slices_have_too_few_decisions_and_not_too_few_positive_outcomes(trained: Trained) -> None:
    told = wording.slices_counted(of_numbers(trained.comparison, corporate(2.0, 5.0)))
    assert told.endswith("4 more had fewer than 50 decisions or 5 days.")
    flag = msgspec.structs.replace(trained.comparison, slices_left_out=4)
    assert wording.slices_counted(flag).endswith("fewer than 50 decisions, 10 positive outcomes or 5 days.")


def test_a_comparison_kept_before_slices_were_held_against_all_others_names_none(trained: Trained) -> None:
    kept = msgspec.structs.replace(corporate(6.0, 5.0), elsewhere=None, behind=None)
    assert wording.worst_slices(of_numbers(trained.comparison, kept)) == []
