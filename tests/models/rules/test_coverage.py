"""What is said of intervals that hold fewer outcomes than they promise."""

from __future__ import annotations

import pytest

from pilotage.models.records import Estimate
from pilotage.models.rules import coverage


def test_intervals_that_surely_hold_too_few_are_told_with_what_to_do() -> None:
    (said,) = coverage.cautions("boosted trees", Estimate(0.8, 0.77, 0.83, 0.01))
    assert said.startswith(
        "boosted trees: its intervals are meant to hold 90% of what happens and held 80% (77% to 83%)."
    )
    assert "train on newer outcomes" in said


@pytest.mark.parametrize("held", [None, Estimate(0.88, 0.85, 0.91, 0.015), Estimate(0.97, 0.96, 0.98, 0.005)])
def test_intervals_that_may_hold_enough_are_not_doubted(held: Estimate | None) -> None:
    assert coverage.cautions("boosted trees", held) == ()
