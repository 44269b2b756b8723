"""Weights of rows and directions of columns, as the file declares them."""

from __future__ import annotations

import numpy as np
import pytest

from pilotage.models.inputs import Slot
from pilotage.models.rules import lasting
from pilotage.models.rules.teaching import directions, weights

SLOTS = (Slot("age", "age", "number"), Slot("job", "job", "category", 5), Slot("at.hour", "at", "number"))


def test_balanced_outcomes_count_the_same_in_sum() -> None:
    labels = np.array([True] * 10 + [False] * 90)
    found = weights("balanced", labels, "flag", ())
    assert found is not None
    assert found[labels].sum() == pytest.approx(found[~labels].sum()) == pytest.approx(50)


def test_named_outcomes_count_as_the_file_says_and_others_once() -> None:
    codes = np.array([0, 1, 2])
    assert weights({"late": 3.0}, codes, "category", ["early", "late", "never"]) == pytest.approx([1, 3, 1])
    assert weights({"positive": 4.0}, np.array([True, False]), "flag", ()) == pytest.approx([4, 1])
    assert weights(None, codes, "category", ["a", "b", "c"]) is None
    assert weights("balanced", np.array([1.5, 2.5]), "number", ()) is None


def test_only_slots_of_numbers_have_a_direction() -> None:
    assert directions({"age": "rises", "job": "falls", "at": "falls"}, SLOTS) == (1, 0, -1)


def test_the_newest_outcome_that_had_matured_is_the_one_known_last() -> None:
    moments, labels = np.array([0, 10, 20, 30, 40]), np.array([5.0, 6.0, 7.0, 8.0, 9.0])
    judged = np.array([3, 4])
    assert lasting.last_known(moments, labels, judged, 15).tolist() == [6.0, 7.0]
    assert lasting.last_known(moments, labels, judged, 10).tolist() == [7.0, 8.0]
    assert lasting.last_known(moments, labels, judged, 35) is None
