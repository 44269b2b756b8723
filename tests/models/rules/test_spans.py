"""Numbers: intervals that hold nine in ten, and the answer that costs least."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from pilotage.models.rules.calibrating import Calibration, spans


def drawn(seed: int, rows: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """What a model says, and a truth around it that is the wider the more it says, and lopsided."""
    random = np.random.default_rng(seed)
    said = random.uniform(0, 10, rows)
    return said, said + (1 + said) * (random.gamma(2.0, 1.0, rows) - 2)


def test_intervals_hold_nine_in_ten_everywhere_and_are_wide_where_the_model_is_unsure() -> None:
    found = spans.fitted(*drawn(1), 0.5)
    said, truth = drawn(2, 20_000)
    outputs = found.outputs(said.reshape(-1, 1))
    inside = (truth >= outputs[:, 1]) & (truth <= outputs[:, 2])
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    for low in range(1, 9, 2):
        here = (said >= low) & (said < low + 2)
        assert inside[here].mean() == pytest.approx(0.9, abs=0.04)
    width = outputs[:, 2] - outputs[:, 1]
    assert width[said > 9].mean() > 3 * width[said < 1.5].mean()


@pytest.mark.parametrize(("low", "high"), [(-1.0, -1.0), (-5.0, -1.0), (-1.0, -5.0)])
def test_the_answer_costs_no_more_than_any_other_shift(low: float, high: float) -> None:
    found = spans.fitted(*drawn(1), low / (low + high))
    said, truth = drawn(2, 20_000)

    def cost(answers: np.ndarray) -> float:
        over = answers - truth
        return float(-np.where(over > 0, high * over, -low * over).mean())

    answers = found.outputs(said.reshape(-1, 1))[:, 0]
    assert all(cost(answers) < cost(answers + shift) for shift in (-1.0, 1.0))
    assert cost(answers) <= cost(said)


def test_one_row_has_the_very_bits_of_many_and_the_table_comes_back_from_its_json() -> None:
    found = spans.fitted(*drawn(1), 0.5)
    said = np.append(drawn(2, 500)[0], [-100.0, 100.0, found.points[0], found.points[-1]])
    many = found.outputs(said.reshape(-1, 1))
    again = msgspec.json.decode(msgspec.json.encode(found), type=Calibration)
    assert [again.row()([float(one)]) for one in said] == many.tolist()


def test_a_model_that_always_says_the_same_has_one_span() -> None:
    truth = np.arange(1_000.0)
    found = spans.fitted(np.full(1_000, 3.0), truth, 0.5)
    assert len(found.points) == 1
    value, low, high = found.row()([3.0])
    assert (low, value, high) == pytest.approx((49, 499.5, 950), abs=2)


@pytest.mark.parametrize("quantile", [0.001, 0.01, 0.5, 0.99, 0.999])
def test_the_answer_lies_within_its_interval_however_lopsided_the_costs(quantile: float) -> None:
    found = spans.fitted(*drawn(1), quantile)
    said = np.append(drawn(2)[0], [-100.0, 100.0, *found.points])
    value, low, high = found.outputs(said.reshape(-1, 1)).T
    assert (low <= value).all() and (value <= high).all()
    assert np.isfinite(low).all() and np.isfinite(high).all()
