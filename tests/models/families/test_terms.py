"""One value alone adds the very same bits as the same value among many."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotage.models.families.additive.form import AdditiveTerm
from pilotage.models.families.linear.form import CategoryTerm, NumberTerm
from pilotage.models.families.summed import Term

CUTS = (-1.5, 0.0, 0.1 + 0.2, 7.0)
SCORES = (0.25, -1.0, 1 / 3, 0.0, 2.0, -0.125)
EDGES = [math.nextafter(cut, way) for cut in CUTS for way in (-math.inf, math.inf)]
NUMBERS = [*CUTS, *EDGES, -1e300, 1e300, math.nan, -0.0]


@pytest.mark.parametrize(
    ("term", "values"),
    [
        (AdditiveTerm(CUTS, SCORES, by_code=False, average=0.1), NUMBERS),
        (AdditiveTerm((), SCORES, by_code=True, average=0.1), [0.0, 1.0, 5.0]),
        (NumberTerm(mean=1 / 3, slope=0.1, missing=-0.7, average=0.1), NUMBERS),
        (CategoryTerm(SCORES, average=0.1), [0.0, 3.0, 5.0]),
    ],
)
def test_one_value_adds_what_it_adds_among_many(term: Term, values: list[float]) -> None:
    among_many = term.added(np.array(values)).tolist()
    assert [term.adds(value) for value in values] == among_many
    assert len(set(among_many)) > 2
