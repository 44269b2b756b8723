"""Inputs become columns with names and sentences that people understand."""

from __future__ import annotations

import msgspec

from pilotage.usecase.records import Derived, Given, Latest, Window, decode_plan
from pilotage.usecase.rules.value import break_even
from tests.usecase.example import defined


def test_every_input_becomes_its_columns_in_the_order_of_the_file() -> None:
    assert defined().plan.names == (
        "carrier",
        "distance",
        "hour",
        "weekday",
        "aircraft_delay",
        "weather_temp_f",
        "weather_wind_mph",
        "mean_arr_delay_by_carrier_1d",
        "mean_arr_delay_by_carrier_7d",
        "mean_late_by_carrier_1d",
        "mean_late_by_carrier_7d",
        "mean_arr_delay_by_origin_1d",
        "mean_arr_delay_by_origin_7d",
        "mean_late_by_origin_1d",
        "mean_late_by_origin_7d",
    )


def test_each_form_carries_what_its_query_needs() -> None:
    columns = {column.name: column for column in defined().plan.columns}
    assert columns["distance"] == Given("distance", "number", True, "distance, in miles")
    assert columns["hour"] == Derived("hour", "number", "EXTRACT(HOUR FROM departure)", "hour")
    assert columns["weather_temp_f"] == Latest(
        "weather_temp_f", "number", "weather", ("origin",), "temp_f", 6 * 3600, "temp f, latest by origin"
    )
    assert columns["mean_late_by_origin_7d"] == Window(
        "mean_late_by_origin_7d",
        "number",
        "arrivals",
        ("origin",),
        "late",
        "mean",
        7 * 86_400,
        "late, mean by origin over the last 7 days",
    )
    assert columns["aircraft_delay"].says == "last arrival of this aircraft"


def test_a_number_that_is_said_to_be_a_category_is_written_as_text() -> None:
    weekday = {column.name: column for column in defined().plan.columns}["weekday"]
    assert weekday == Derived("weekday", "category", "CAST(EXTRACT(DOW FROM departure) AS VARCHAR)", "weekday")


def test_the_kind_of_a_derived_input_follows_from_its_expression() -> None:
    plan = defined(("{derived: EXTRACT(HOUR FROM departure)}", "{derived: distance > 500}")).plan
    assert plan.columns[2].kind == "flag"


def test_an_input_that_says_nothing_of_take_takes_the_column_of_its_own_name() -> None:
    plan = defined(
        ("{latest: weather, by: origin, take: [temp_f, wind_mph], within: 6 hours}", "{latest: weather, by: origin}")
    ).plan
    (column,) = [column for column in plan.columns if isinstance(column, Latest) and column.source == "weather"]
    assert (column.name, column.take, column.within_seconds) == ("weather", "weather", 3 * 86_400)


def test_rows_are_counted_without_taking_anything() -> None:
    plan = defined(("take: [arr_delay, late], over: [24 hours, 7 days]", "aggregate: count, over: 90 minutes")).plan
    assert plan.names[-2:] == ("count_by_carrier_90m", "count_by_origin_90m")
    assert plan.columns[-1].says == "number of rows by origin over the last 90 minutes"


def test_a_name_that_is_taken_gets_its_inputs_key_in_front() -> None:
    plan = defined(("  distance: request", "  distance: request\n  weather_temp_f: {derived: distance}")).plan
    assert "weather_temp_f" in plan.names
    assert "weather_weather_temp_f" in plan.names
    assert len(set(plan.names)) == len(plan.names)


def test_the_fingerprint_changes_with_the_plan_and_not_with_the_rest() -> None:
    plan = defined().plan
    assert defined(("title: Late arrivals", "title: Delays")).plan.fingerprint == plan.fingerprint
    assert defined(("within: 6 hours", "within: 5 hours")).plan.fingerprint != plan.fingerprint


def test_a_plan_survives_the_way_through_an_artefact() -> None:
    plan = defined().plan
    assert decode_plan(msgspec.json.encode(plan)) == plan


def test_acting_pays_from_the_break_even_probability() -> None:
    assert break_even(defined().use_case.brief.value) == 0.25


def test_columns_may_be_taken_with_words_of_their_own() -> None:
    plan = defined(("take: [arr_delay, late], over: [24 hours, 7 days]", "take: {late: share late}, over: 1 day")).plan
    assert plan.columns[-1].name == "mean_late_by_origin_1d"
    assert plan.columns[-1].says == "share late, mean by origin over the last day"


def test_a_condition_is_part_of_a_columns_words_and_of_its_name_only_where_two_would_be_alike() -> None:
    plan = defined(
        (
            "  recent: {windows: arrivals, by: [carrier, origin], take: [arr_delay, late], over: [24 hours, 7 days]}",
            (
                "  recent: {windows: arrivals, by: origin, aggregate: share, where: late, over: 1 day}\n"
                "  long: {windows: arrivals, by: origin, aggregate: share, where: arr_delay > 60, over: 1 day}\n"
                "  quiet: {windows: arrivals, by: origin, aggregate: since, where: late, over: 1 day}\n"
                "  spread: {windows: arrivals, by: origin, take: arr_delay, aggregate: std, where: late, over: 1 day}"
            ),
        )
    ).plan
    says = {column.name: column.says for column in plan.columns[-4:]}
    assert says == {
        "share_by_origin_1d": "share of rows where late by origin over the last day",
        "long_share_by_origin_1d": "share of rows where arr_delay > 60 by origin over the last day",
        "since_by_origin_1d": "seconds since the newest row where late by origin over the last day",
        "std_arr_delay_by_origin_1d": "arr delay, standard deviation where late by origin over the last day",
    }


def test_a_plan_without_conditions_keeps_the_fingerprint_that_versions_were_released_with() -> None:
    assert defined().plan.fingerprint == "356aa9fe18c5f129527ba383b52b6465e5e46f967896625412a789fd1b58c7e1"
    with_condition = defined(("take: arr_delay, says", "take: arr_delay, where: late, says")).plan
    assert with_condition.fingerprint != defined().plan.fingerprint
