"""What must agree across the file is checked, all at once, and each message helps."""

from __future__ import annotations

import pytest

from pilotage.usecase.rules.consistency import check_against_sources
from tests.usecase.example import TEXT, changed, defined, only_problem, place, problems

COLUMNS = {
    "flights": {
        "flight_id": "text",
        "carrier": "text",
        "origin": "text",
        "tail_number": "text",
        "distance": "number",
        "departure": "datetime",
        "published_at": "datetime",
    },
    "arrivals": {
        "flight_id": "text",
        "carrier": "text",
        "origin": "text",
        "tail_number": "text",
        "arr_delay": "number",
        "late": "flag",
        "arr_time": "datetime",
        "recorded_at": "datetime",
    },
    "weather": {
        "origin": "text",
        "hour": "datetime",
        "published_at": "datetime",
        "temp_f": "number",
        "wind_mph": "number",
    },
}


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("latest: arrivals", "latest: arivals", "inputs.aircraft_delay.latest", "Did you mean arrivals?"),
        ("windows: arrivals", "windows: arivals", "inputs.recent.windows", "Did you mean arrivals?"),
        ("  source: flights", "  source: flight", "decision.source", "Did you mean flights?"),
        ("  source: arrivals", "  source: outcomes", "outcome.source", "There is no source outcomes."),
        ("by: tail_number", "by: tail_numbr", "inputs.aircraft_delay.by", "Did you mean tail_number?"),
        ("table: arrivals,", "table: arrivals, decimal: ',',", "sources.arrivals.decimal", "belongs to files and rest"),
        ("weather: {", "weather: {missing: [NA, '-1'], ", "sources.weather.missing[1]", "'-1' is a number"),
        ("by: [carrier, origin]", "by: [carrier, orgin]", "inputs.recent.by[1]", "Did you mean origin?"),
        ("by: tail_number, take", "by: [], take", "inputs.aircraft_delay", "by is missing."),
        ("take: [arr_delay, late], ", "", "inputs.recent", "take is missing."),
        (
            "take: [arr_delay, late], ",
            "aggregate: share, where: late, take: late, ",
            "inputs.recent.take",
            "whole rows",
        ),
        ("take: [arr_delay, late], ", "aggregate: since, take: late, ", "inputs.recent.take", "does not go with"),
        ("take: [arr_delay, late], ", "aggregate: share, ", "inputs.recent", "where is missing."),
        ("take: [arr_delay, late], ", "aggregate: std, ", "inputs.recent", "take is missing."),
        ("take: [arr_delay, late], ", "take: late, where: late >, ", "inputs.recent.where", "Cannot be read"),
        ("take: arr_delay, says", "take: arr_delay, where: SUM(late) > 1, says", "inputs.aircraft_delay.where", "SUM"),
        ("FROM departure)}", "FROM departure), where: distance > 1}", "inputs.hour.where", "does not go with derived"),
        ("over: [24 hours, 7 days]", "over: [24 hours, 1 day]", "inputs.recent.over", "the same"),
        (", over: [24 hours, 7 days]", "", "inputs.recent", "over is missing."),
        ("{latest: weather, ", "{latest: weather, derived: distance, ", "inputs.weather", "exactly one of"),
        ("{latest: weather, ", "{", "inputs.weather", "got none"),
        ("  distance: request", "  distnce: request", "inputs.distnce", "Did you mean distance?"),
        ("FROM departure)}", "FROM depature)}", "inputs.hour.derived", "Did you mean departure?"),
        ("kind: category}", "kind: flag}", "inputs.weekday.kind", "gives a number"),
        ("  distance: request", "  flight_id: {derived: distance}", "inputs.flight_id", "by heart"),
        ("  distance: request", "  label: {derived: distance}", "inputs.label", "training sets use"),
        ("  distance: request", "  tail_number: {derived: distance}", "inputs.tail_number", "The app sends"),
        ("  distance: request", "  weather_temp_f: {derived: distance}", "inputs.weather", ""),
        (
            "positive: aircraft_delay > 30",
            "positive: aircraft_dely > 30",
            "rule.positive",
            "Did you mean aircraft_delay?",
        ),
        ("positive: aircraft_delay > 30", "positive: aircraft_delay", "rule.positive", "true or false is wanted"),
        ("positive: arr_delay > 30", "positive: pg_sleep(1)", "outcome.positive", "The function pg_sleep"),
        ("positive: arr_delay > 30", "positive: 1; DROP TABLE x", "outcome.positive", "second statement"),
        ("departure - INTERVAL", "departre - INTERVAL", "decision.moment", "Did you mean departure?"),
        (
            "moment: departure - INTERVAL '60' MINUTE",
            "moment: distance",
            "decision.moment",
            "There is no column distance",
        ),
        (
            "database: env:DISPATCH, table: flights",
            "table: flights",
            "sources.flights",
            "does not say where",
        ),
        ("files: env:WEATHER/*.parquet", "files: x.parquet, database: env:D", "sources.weather", "database and files"),
        ("database: env:DISPATCH, table: flights", "database: env:DISPATCH", "sources.flights", "table is missing"),
        ("table: flights", "table: flights; drop", "sources.flights.table", "not a table's name"),
        ("caught: 180", "caught: -180", "brief.value", "nothing to predict"),
        ("caught: 180, false_alarm: -60", "caught: -80, false_alarm: 60", "brief.value", "nothing to predict"),
        (", negative: Leave as planned", "", "policy.actions", "negative is missing."),
        ("negative: Leave as planned", "negative: Prepare rebooking", "policy.actions", "the same"),
        ("    distance: {kind", "    dis tance: {kind", "decision.request.dis tance", "cannot be a column's name"),
    ],
)
def test_a_mistake_is_named_at_its_place(old: str, new: str, where: str, says: str) -> None:
    found = {problem.where: f"{problem.message} {problem.repair}" for problem in problems(changed((old, new)))}
    if not says:  # a name that is taken gets its input's key in front and is no mistake
        assert found == {}
        return
    assert says in found[where], found


SECRETS = (
    "s3://AKIACANARY:hunter2canary@bucket/*.parquet",
    "s3://AKIA:hunter2/canary@b/x.csv",
    "ftp://canary@host/x.csv",
)


@pytest.mark.parametrize("address", SECRETS)
def test_who_reads_files_is_refused_in_the_file_and_not_repeated(address: str) -> None:
    (problem,) = problems(changed(("env:WEATHER/*.parquet", address)))
    assert problem.where == "sources.weather.files"
    assert "env:ITS_NAME" in problem.repair
    assert "canary" not in f"{problem.message} {problem.repair}".lower()


def test_an_at_sign_in_the_path_of_files_is_no_secret() -> None:
    assert problems(changed(("env:WEATHER/*.parquet", "s3://bucket/v@2/*.parquet"))) == []


def test_inputs_may_use_only_what_stands_above_them() -> None:
    problem = only_problem(("{derived: EXTRACT(HOUR FROM departure)}", "{derived: aircraft_delay / 60}"))
    assert "There is no column aircraft_delay" in problem.message
    assert "stand above" in problem.repair


def test_all_mistakes_are_reported_at_once_with_their_lines_and_columns() -> None:
    text = changed(
        ("latest: arrivals", "latest: arivals"),
        ("FROM departure)}", "FROM depature)}"),
        ("caught: 180", "caught: -180"),
    )
    found = {problem.where: (problem.line, problem.column) for problem in problems(text)}
    assert found == {
        "inputs.aircraft_delay.latest": place(text, "arivals"),
        "inputs.hour.derived": place(text, "EXTRACT(HOUR FROM depature)"),
        "brief.value": place(text, "value:"),
    }


def test_a_file_that_fits_its_sources_has_no_problem() -> None:
    assert check_against_sources(defined(), COLUMNS) == []


def test_sources_that_were_not_looked_at_are_passed_over() -> None:
    assert check_against_sources(defined(), {}) == []


@pytest.mark.parametrize(
    ("source", "old", "new", "where", "says"),
    [
        ("flights", "published_at", "publishd_at", "sources.flights.known_at", "Did you mean publishd_at?"),
        ("flights", "flight_id", "id", "decision.entity", "no column flight_id"),
        ("flights", "tail_number", "tailnum", "decision.request.tail_number", "Did you mean tailnum?"),
        ("arrivals", "arr_delay", "arr_dely", "outcome.positive", "Did you mean arr_dely?"),
        ("arrivals", "arr_delay", "arr_dely", "inputs.aircraft_delay.take", "Did you mean arr_dely?"),
        ("arrivals", "late", "is_late", "inputs.recent.take[1]", "Did you mean is_late?"),
        ("arrivals", "tail_number", "tailnum", "inputs.aircraft_delay.by", "by: {tail_number: its name there}"),
        ("arrivals", "flight_id", "id", "outcome.source", "by which outcomes find their decision"),
        ("weather", "wind_mph", "wind", "inputs.weather.take[1]", "Did you mean wind?"),
    ],
)
def test_a_column_that_a_source_lacks_is_named_with_the_nearest(
    source: str, old: str, new: str, where: str, says: str
) -> None:
    columns = {**COLUMNS, source: {new if name == old else name: kind for name, kind in COLUMNS[source].items()}}
    found = {problem.where: problem for problem in check_against_sources(defined(), columns)}
    assert says in f"{found[where].message} {found[where].repair}"
    assert found[where].line > 1


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("arr_dely > 30", "Did you mean arr_delay?"),
        ("carrier > 30", "carrier is a text"),
        ("arr_delay + 1", "It gives a number; true or false is wanted."),
        ("distance > 1", "no column distance"),
    ],
)
def test_a_condition_of_an_input_is_checked_against_the_columns_of_its_source(where: str, says: str) -> None:
    definition = defined(
        ("take: arr_delay, says", f"take: arr_delay, where: {where}, says"),
        ("take: [arr_delay, late], over", f"take: late, where: {where}, over"),
    )
    found = {problem.where: problem for problem in check_against_sources(definition, COLUMNS)}
    for at in ("inputs.aircraft_delay.where", "inputs.recent.where"):
        assert says in f"{found[at].message} {found[at].repair}"
        assert found[at].line > 1


def test_a_condition_over_columns_that_its_source_has_is_in_order() -> None:
    definition = defined(("take: [arr_delay, late], over", "aggregate: share, where: late AND arr_delay > 30, over"))
    assert check_against_sources(definition, COLUMNS) == []


def test_truth_kept_as_numbers_fits_a_flag_and_a_flag_fits_a_number() -> None:
    definition = defined(
        ("take: arr_delay, says", "take: late, kind: flag, says"), ("delay > 30\n  says: the", "delay\n  says: the")
    )
    for kind in ("flag", "number"):
        columns = {**COLUMNS, "arrivals": {**COLUMNS["arrivals"], "late": kind}}
        assert check_against_sources(definition, columns) == []
    columns = {**COLUMNS, "flights": {**COLUMNS["flights"], "distance": "flag"}}
    assert check_against_sources(defined(), columns) == []


@pytest.mark.parametrize(
    ("source", "column", "type_", "where", "says"),
    [
        ("flights", "published_at", "text", "sources.flights.known_at", "known_at needs a datetime"),
        ("flights", "published_at", "number", "sources.flights.known_at", "flights.published_at is a number"),
        ("flights", "distance", "text", "decision.request.distance", "Declare it as category."),
        ("weather", "temp_f", "text", "inputs.weather.take[0]", "Write kind: category."),
        ("arrivals", "arr_delay", "text", "outcome.positive", "column arr_delay is a text"),
        ("arrivals", "arr_delay", "text", "inputs.recent.take[0]", "a number or flag is wanted"),
        ("arrivals", "arr_delay", "text", "inputs.recent.take[0]", "Use aggregate: count or distinct"),
        ("flights", "departure", "text", "decision.request.departure", "have them delivered as dates"),
    ],
)
def test_a_column_of_another_type_is_named(source: str, column: str, type_: str, where: str, says: str) -> None:
    columns = {**COLUMNS, source: {**COLUMNS[source], column: type_}}
    found = {problem.where: problem for problem in check_against_sources(defined(), columns)}
    assert says in f"{found[where].message} {found[where].repair}"


@pytest.mark.parametrize(
    ("added", "where", "says"),
    [
        ("groups: [nobody]", "", ""),  # a source must be looked at to know its columns
        ("guessed: {sources.flights.nothing: because}", "guessed.sources.flights.nothing", "not a place"),
        ("guessed: {outcome.positive: the only flag}", "", ""),
        ("answers: {ground_truth: the tower's log}", "", ""),
        ("answers: {truth: x}", "answers.truth", "not a key here"),
    ],
)
def test_what_people_answer_and_what_was_guessed_has_its_place(added: str, where: str, says: str) -> None:
    found = {problem.where: problem.message for problem in problems(TEXT + "\n" + added + "\n")}
    assert (says in found[where]) if where else not found
