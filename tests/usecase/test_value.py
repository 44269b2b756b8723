"""What answers are worth: one by one and many at once, of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Value
from pilotage.usecase.rules.value import came_of, earned

VALUE = Value(currency="USD", caught=180, false_alarm=-60, missed=-10, right=1, wrong=-2, too_low=-3, too_high=-1)
Said = bool | str | float


@pytest.mark.parametrize(
    ("answered", "happened", "money"),
    [
        (True, True, 180),
        (True, False, -60),
        (False, True, -10),
        (False, False, 0),
        ("late", "late", 1),
        ("late", "early", -2),
        (10.0, 12.5, -7.5),
        (12.5, 10.0, -2.5),
        (10.0, 10.0, 0),
    ],
)
def test_every_answer_has_its_price(answered: Said, happened: Said, money: float) -> None:
    assert earned(came_of(answered, happened), VALUE) == money


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_acting_is_worth_the_same_alone_and_among_many(pairs: list[tuple[bool, bool]]) -> None:
    alert, positive = (np.array(each) for each in zip(*pairs, strict=True))
    many = Worth(VALUE, 0.0).acting(alert, positive)
    assert many.tolist() == [earned(came_of(*pair), VALUE) for pair in pairs]


NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1))
def test_a_number_is_worth_the_same_alone_and_among_many(pairs: list[tuple[float, float]]) -> None:
    answers, truth = (np.array(each) for each in zip(*pairs, strict=True))
    many = Worth(VALUE, 0.0).estimating(answers, truth)
    assert many.tolist() == [earned(came_of(*pair), VALUE) for pair in pairs]
