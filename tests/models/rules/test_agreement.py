"""A model read back must answer as it was trained, and an answer that is no number is no answer."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from pilotage.models.records import Parity
from pilotage.models.rules import agreement

SAID = np.full((5, 3), 0.1)
GAP = SAID.copy()
GAP[2, 1] = np.nan
NO = np.zeros(5)


@pytest.mark.parametrize("kind", ["flag", "category", "number"])
@pytest.mark.parametrize(
    ("batch", "single"),
    [((SAID, SAID), (SAID, GAP)), ((SAID, GAP), (SAID, SAID)), ((SAID, SAID), (GAP, SAID)), ((GAP, GAP), (SAID, SAID))],
    ids=["one by one", "many", "as trained", "both ways"],
)
def test_an_output_that_is_no_number_fails_wherever_it_is(
    kind: str, batch: tuple[np.ndarray, ...], single: tuple[np.ndarray, ...]
) -> None:
    found = agreement.parity("linear", kind, (*batch, NO, NO), (*single, NO, NO))  # type: ignore[arg-type]
    assert not found.passed
    assert "answers that are no number" in agreement.told(found)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Parity) == found


def test_an_answer_that_is_no_number_is_a_flip() -> None:
    values = SAID[:, 0]
    found = agreement.parity("linear", "number", (SAID, SAID, values, GAP[:, 1]), (SAID, SAID, values, values))
    assert (found.flips, found.passed) == (1, False)


def test_the_same_answers_pass() -> None:
    found = agreement.parity("linear", "flag", (SAID, SAID, NO, NO), (SAID, SAID, NO, NO))
    assert (found.passed, found.difference_max) == (True, 0.0)
