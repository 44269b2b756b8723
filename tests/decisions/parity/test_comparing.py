"""What counts as the same column: a part of the value, and where sums cancel of the column's largest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pilotage.decisions.parity.comparing import TOLERANCE, Tally, plainly, size_of
from pilotage.usecase.records import Column, Derived, Window

AT = datetime(2024, 3, 1, tzinfo=UTC)


def window(aggregate: str) -> Window:
    return Window(
        name="w", kind="number", source="visits", by=("store",), take="score", aggregate=aggregate, over_seconds=60
    )


def differing(trained: float, live: float, size: float = 0.0) -> int:
    tally = Tally("w", TOLERANCE, plainly, size)
    assert not tally.add(trained, live, "1", AT)
    return tally.differing


@pytest.mark.parametrize(
    ("trained", "live", "differs"),
    [
        (1e-12, 5e-10, 1),  # an absolute tolerance would call them equal
        (1e-12, 1e-12 * (1 + 1e-10), 0),
        (3e12, 3e12 + 1, 0),
        (1.0, 1.0 + 2e-9, 1),
        (0.0, 1e-300, 1),
    ],
)
def test_numbers_are_equal_within_a_part_of_the_larger(trained: float, live: float, differs: int) -> None:
    assert differing(trained, live) == differs


def test_what_is_left_when_a_sum_cancels_may_differ_by_a_part_of_the_columns_largest() -> None:
    size = size_of(window("sum"), [1e6, -2e6, None, 3e-11, float("inf")])
    assert size == 2e6
    assert differing(0.0, 1e-10, size) == 0
    assert differing(0.0, 1e-2, size) == 1


@pytest.mark.parametrize(
    ("column", "size"),
    [
        (window("mean"), 4.0),
        (window("std"), 4.0),
        (Derived(name="d", kind="number", expression="a - b"), 4.0),
        (window("share"), 0.0),
        (window("count"), 0.0),
        (window("max"), 0.0),
    ],
)
def test_only_what_is_added_up_can_cancel(column: Column, size: float) -> None:
    assert size_of(column, [-4.0, 1.0]) == size
