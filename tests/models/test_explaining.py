"""Reasons in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pilotage.models import explaining
from pilotage.models.records import Signal
from pilotage.models.rules.reference import CategoryReference, NumberReference, Reference
from pilotage.usecase.records import Column, Given, Latest, Window

LAST = Latest(
    "aircraft_last_delay",
    "number",
    "arrivals",
    ("tail_number",),
    "arr_delay",
    3600,
    "last arrival of this aircraft, minutes late",
)
CARRIER = Given("carrier", "category", True)
OPEN = Given("runway_open", "flag", True)
LEAVES = Given("scheduled_departure", "datetime", True)
RECENT = Window("recent_carrier_late_7d", "number", "arrivals", ("carrier",), "late", "mean", 7 * 86_400)
INSTANT = datetime(2013, 12, 5, 17, 30, tzinfo=UTC)
USUAL = Reference(
    100,
    {
        "aircraft_last_delay": NumberReference((-20.0, -12.0, -5.0, 8.0, 60.0), (0.0,), (0.6, 0.4), 0.1),
        "carrier": CategoryReference({"EV": 0.16, "UA": 0.84}, 0.0, 0.0),
        "runway_open": NumberReference((0.0, 1.0, 1.0, 1.0, 1.0), (1.0,), (0.1, 0.9), 0.0),
    },
    (0.0, 1.0),
    (1.0,),
    (0.2,),
)
ABOUT = explaining.About("", 0.1, {})


def told(columns: list[Column], weights: dict[str, float], values: dict[str, object]) -> tuple[Signal, ...]:
    return explaining.Reasons(columns, USUAL, "flag").strongest(weights, values, ABOUT, 5)


@pytest.mark.parametrize(
    ("column", "value", "weight", "sentence"),
    [
        (LAST, 96.0, 0.8, "Last arrival of this aircraft, minutes late: 96 (typical −5) — raises the chance"),
        (LAST, None, -0.1, "Last arrival of this aircraft, minutes late: not known (typical −5) — lowers the chance"),
        (CARRIER, "EV", 0.2, "Carrier: EV (16 % of decisions) — raises the chance"),
        (CARRIER, "ZZ", 0.2, "Carrier: ZZ (seldom or never seen in training) — raises the chance"),
        (CARRIER, None, 0.2, "Carrier: not known — raises the chance"),
        (OPEN, False, 1.5, "Runway open: no (typical yes) — raises the chance"),
        (
            LEAVES,
            datetime(2013, 12, 5, 17, 30, tzinfo=UTC),
            -0.3,
            "Scheduled departure: 2013-12-05 17:30 — lowers the chance",
        ),
        (LEAVES, "2013-12-05T17:30:00", -0.3, "Scheduled departure: 2013-12-05 17:30 — lowers the chance"),
    ],
)
def test_a_signal_names_the_column_its_value_what_is_usual_and_the_direction(
    column: Column, value: object, weight: float, sentence: str
) -> None:
    (signal,) = told([column], {column.name: weight}, {column.name: value})
    assert signal.sentence == sentence
    assert (signal.column, signal.weight) == (column.name, weight)


def test_a_column_without_words_of_its_own_goes_by_its_name() -> None:
    assert explaining.said(RECENT) == "Recent carrier late 7d"


def test_a_column_that_moved_nothing_is_no_signal() -> None:
    weights = {"carrier": 0.0, "aircraft_last_delay": -0.4}
    found = told([CARRIER, LAST], weights, {})
    assert [one.column for one in found] == ["aircraft_last_delay"]


def test_a_contribution_that_is_no_number_takes_no_place_from_others() -> None:
    weights = {"carrier": 0.3, "aircraft_last_delay": float("nan"), "runway_open": -0.4}
    found = told([LAST, CARRIER, OPEN], weights, {})
    assert [one.column for one in found] == ["runway_open", "carrier"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(12_345.6, "12,346"), (96.4321, "96.4"), (0.09669, "0.097"), (-5.0, "−5"), (0.0, "0"), (2.5, "2.5"), (100, "100")],
)
def test_numbers_are_rounded_to_what_one_reads(number: float, text: str) -> None:
    assert explaining.rounded(number) == text
