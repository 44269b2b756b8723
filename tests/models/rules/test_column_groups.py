"""Which columns stand or fall together."""

from __future__ import annotations

import msgspec

from pilotage.models.rules import column_groups
from pilotage.usecase.records import Derived
from tests.models import flights


def test_columns_of_one_source_and_those_of_one_request_column_go_together() -> None:
    found = column_groups.groups(flights.definition().plan)
    assert found["weather"] == (
        "weather_temp_f",
        "weather_wind_speed_mph",
        "weather_precipitation_in",
        "weather_visibility_miles",
    )
    assert found["scheduled_departure"] == ("departure_hour", "departure_weekday")
    assert found["carrier"] == ("carrier",)
    assert "aircraft_last_delay" in found["arrivals"]
    assert len(found["arrivals"]) == 13


def test_what_is_derived_of_two_sources_is_gone_with_either() -> None:
    plan = flights.definition().plan
    both = Derived("worse", "number", "aircraft_last_delay + weather_wind_speed_mph")
    found = column_groups.groups(msgspec.structs.replace(plan, columns=(*plan.columns, both)))
    assert "worse" in found["arrivals"]
    assert "worse" in found["weather"]
    assert "worse" not in found


def test_a_group_that_is_everything_is_not_named() -> None:
    plan = flights.definition().plan
    alone = msgspec.structs.replace(plan, columns=plan.columns[:1])
    assert column_groups.groups(alone) == {}
