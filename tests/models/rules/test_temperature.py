"""Classes: a softmax at the temperature at which its probabilities mean what they say."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from pilotage.models.rules.calibrating import Calibration, Temperature, temperature


def drawn(stretch: float, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    margins = random.normal(0, 1.5, (rows, 4))
    shares = Temperature(1.0).outputs(margins)
    codes = (shares.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    return stretch * margins, codes


@pytest.mark.parametrize("stretch", [0.5, 1.0, 3.0])
def test_margins_that_are_too_extreme_or_too_timid_are_brought_back(stretch: float) -> None:
    margins, codes = drawn(stretch)
    assert temperature.fitted(margins, codes).temperature == pytest.approx(stretch, rel=0.05)


def test_the_order_of_classes_stays_and_probabilities_sum_to_one() -> None:
    margins, codes = drawn(3.0, 500)
    outputs = temperature.fitted(margins, codes).outputs(margins)
    assert outputs.sum(axis=1) == pytest.approx(np.ones(500))
    assert (outputs.argmax(axis=1) == margins.argmax(axis=1)).all()


def test_one_row_has_the_very_bits_of_many_and_it_comes_back_from_its_json() -> None:
    margins, codes = drawn(3.0, 300)
    found = temperature.fitted(margins, codes)
    again = msgspec.json.decode(msgspec.json.encode(found), type=Calibration)
    assert [again.row()(one) for one in margins.tolist()] == found.outputs(margins).tolist()


def test_margins_of_any_size_have_probabilities() -> None:
    outputs = Temperature(0.05).outputs(np.array([[1e6, -1e6, 0.0]]))
    assert np.isfinite(outputs).all()


def test_a_class_that_training_never_saw_says_nothing_of_the_temperature() -> None:
    margins, codes = drawn(1.0, 2_000)
    some = codes.copy()
    some[:500] = -1
    assert temperature.fitted(margins, some) == temperature.fitted(margins[500:], codes[500:])
    assert temperature.fitted(margins[:10], np.full(10, -1)).temperature == 1.0
