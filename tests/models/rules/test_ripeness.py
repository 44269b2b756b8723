"""Whether outcomes were known in time, and what is said where they were not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilotage.models.rules import ripeness
from pilotage.models.rules.splitting import Split, split
from tests.models.rules.test_splitting import labels, moments


def parted(days: int, matures: int) -> Split:
    when = moments(days)
    return split(when, labels(len(when)), timedelta(days=matures))


def test_outcomes_known_only_after_judging_begins_are_told_with_what_to_do() -> None:
    parts = parted(365, 90)
    taught, calibrated = ripeness.cautions(parts, "90 days")
    assert taught.startswith("Of the decisions that are learnt from, 14 % had no outcome yet when calibrating begins (")
    assert calibrated.startswith(
        "Of the decisions that are calibrated on, 100 % had no outcome yet when judging begins"
    )
    assert "(2013-10-27), as outcomes take 90 days" in calibrated
    assert "Sync more history, so that each part lasts more than four times 90 days" in calibrated
    told = ripeness.unripe(parts, "90 days")
    assert told.startswith(
        "Outcomes take 90 days, and none of the 1,320 decisions that calibrate had its own by 2013-10"
    )
    assert "shorten outcome.matures" in told


@pytest.mark.parametrize("matures", [0, 2, 10])
def test_nothing_is_told_where_the_embargo_left_out_all_that_was_late(matures: int) -> None:
    assert ripeness.cautions(parted(365, matures), f"{matures} days") == ()
    assert ripeness.unripe(parted(365, matures), f"{matures} days") == ""


def test_where_some_outcomes_were_known_in_time_it_is_a_caution_and_no_verdict() -> None:
    parts = parted(365, 14)
    (told,) = ripeness.cautions(parts, "14 days")
    assert "calibrated on, 9 % had no outcome yet" in told
    assert ripeness.unripe(parts, "14 days") == ""
