"""A source with one clock is warned of wherever it stands, that of the outcome too."""

from __future__ import annotations

from pilotage.usecase.rules.lints import lints
from tests.usecase.example import defined

ONE = ("event_time: arr_time, known_at: recorded_at", "event_time: arr_time, known_at: arr_time")


def test_the_source_of_the_outcome_is_warned_of() -> None:
    (lint,) = [lint for lint in lints(defined(ONE)) if lint.id == "one-clock"]
    assert lint.message.startswith("arrivals has one clock")


def test_where_case_and_outcome_are_one_row_the_warning_says_what_follows() -> None:
    same = (
        ("event_time: departure, known_at: published_at", "event_time: departure, known_at: departure"),
        (
            "outcome:\n  source: arrivals\n  positive: arr_delay > 30",
            "outcome:\n  source: flights\n  positive: late = 1",
        ),
    )
    (lint,) = [lint for lint in lints(defined(*same)) if lint.id == "one-clock"]
    assert lint.message.endswith("So the outcome is taken as known when the decision is.")
