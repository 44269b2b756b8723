"""Calibration tables: what they repair, and that one row and many agree to the last bit."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from pilotage.models.rules.calibrating import curve
from pilotage.models.rules.calibrating.curve import ProbabilityCurve


def drawn(bent: bool, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    margins = random.normal(-1, 1.5, rows)
    truth = np.where(margins > 0, 0.6, 0.05) if bent else 1 / (1 + np.exp(-(0.5 * margins - 0.7)))
    return margins, random.random(rows) < truth, np.sort(random.integers(0, 40, rows))


def test_a_logistic_distortion_is_repaired() -> None:
    margins, labels, days = drawn(bent=False)
    table = curve.fitted(margins, labels, days)
    grid = np.linspace(-4, 2, 20)
    assert np.abs(table.many(grid) - 1 / (1 + np.exp(-(0.5 * grid - 0.7)))).max() < 0.03


def test_where_the_truth_is_no_logistic_curve_isotonic_wins() -> None:
    table = curve.fitted(*drawn(bent=True))
    assert table.way == "isotonic"
    assert table.many(np.array([-2.0, 1.0])) == pytest.approx([0.05, 0.6], abs=0.03)


@pytest.mark.parametrize("bent", [False, True])
def test_one_margin_and_many_give_the_same_bits_as_numpys_interpolation_to_a_hair(bent: bool) -> None:
    margins, labels, days = drawn(bent)
    table = curve.fitted(margins, labels, days)
    read = table.reader()
    asked = np.concatenate([margins[:5_000], table.margins, [-1e9, 1e9]])
    many = table.many(asked)
    assert [read(float(margin)) for margin in asked] == many.tolist()
    assert np.abs(many - np.interp(asked, table.margins, table.probabilities)).max() < 1e-12


@pytest.mark.parametrize("bent", [False, True])
def test_a_greater_margin_never_has_a_smaller_probability(bent: bool) -> None:
    table = curve.fitted(*drawn(bent))
    found = table.many(np.linspace(-10, 10, 5_000))
    assert (np.diff(found) >= -1e-12).all()
    assert found.min() > 0
    assert found.max() < 1


def test_a_table_comes_back_from_its_json() -> None:
    table = curve.fitted(*drawn(bent=True))
    assert msgspec.json.decode(msgspec.json.encode(table), type=ProbabilityCurve) == table


def test_margins_that_are_all_alike_give_the_rate() -> None:
    labels = np.arange(100) % 4 == 0
    table = curve.fitted(np.zeros(100), labels, np.arange(100) // 10)
    assert table.reader()(0.0) == pytest.approx(0.25, abs=0.02)
