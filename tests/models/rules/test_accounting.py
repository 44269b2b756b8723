"""Decisions that are in none of the three parts are counted, each for its reason."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from pilotage.models.rules.accounting import left_out
from pilotage.models.rules.splitting import Split, split
from tests.models.rules.test_splitting import labels, moments


def parts(days: int, matures: timedelta, entities: np.ndarray | None = None) -> Split:
    when = moments(days)
    return split(when, labels(len(when)), matures, entities)


def test_the_embargo_is_counted_and_said_with_its_reason() -> None:
    found = parts(100, timedelta(days=1))
    used = len(found.train) + len(found.calibrate) + len(found.held_out)
    said = left_out(found, 4_000, 0, "1 day")
    assert used == 4_000 - 2 * 40
    assert said[0] == "Of 4,000 decisions with an outcome 80 are in none of these parts."
    assert said[1].startswith("80 decisions of the last days before ")
    assert "as outcomes take 1 day: on these two days they were not known yet." in said[1]


def test_entities_in_several_parts_and_rows_beside_the_judged_ones_have_reasons_of_their_own() -> None:
    entities = np.arange(4_000)
    entities[-3:] = entities[:3]
    found = parts(100, timedelta(0), entities)
    said = left_out(found, 4_005, 5, "0 days")
    assert said[0] == "Of 4,005 decisions with an outcome 8 are in none of these parts."
    assert said[1].startswith("5 decisions of the time that judges are left out")
    assert said[2].startswith("3 entities stand in several of these parts: their 3 later decisions are left out")
    assert len(said) == 3


def test_where_every_decision_is_in_a_part_nothing_is_said() -> None:
    assert left_out(parts(100, timedelta(0)), 4_000, 0, "0 days") == ()
