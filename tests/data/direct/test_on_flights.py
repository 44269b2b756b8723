"""Flights and weather of New York, with late, corrected and deleted rows: all engines say what the timelines say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pilotage.data import relations
from pilotage.data.records import FoundColumn
from pilotage.data.rules.direct import SPELLINGS, groups, history_query, live_query, relation_rows
from pilotage.data.rules.needs import needed_columns
from pilotage.data.rules.training import training_script
from pilotage.platform.engine import analytical
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Latest, Window
from tests.data.direct.engines import TYPES, Engine, engine, read
from tests.models.flights import ARCHIVE, unpack

TEXT = """
use_case: late_arrival
title: Late arrivals
owner: dispatch@airline.example
brief:
  workflow: Planners rebook passengers.
  users: Planners
  decision: Prepare a rebooking or not.
  kpi: Cost
  value: {currency: USD, caught: 180, false_alarm: -60}
sources:
  departures: {files: departures.parquet, key: [flight_id], event_time: scheduled, known_at: scheduled}
  arrivals: {files: arrivals.parquet, key: [flight_id], event_time: arrived, known_at: reported}
  weather: {files: weather.parquet, key: [origin, hour], event_time: hour, known_at: hour}
decision:
  entity: flight_id
  source: departures
  request: {carrier: category, origin: category, tail_number: {kind: category, required: false}, scheduled: datetime}
outcome: {source: arrivals, positive: arr_delay > 30, says: arrives late}
inputs:
  aircraft: {latest: arrivals, by: tail_number, take: arr_delay, within: 1 day}
  aircraft_late: {latest: arrivals, by: tail_number, take: origin, kind: category, where: arr_delay > 10}
  both: {latest: arrivals, by: [carrier, origin], take: arr_delay, within: 3 days}
  weather: {latest: weather, by: origin, take: [temp, wind_speed, precip], within: 6 hours}
  gusts: {windows: weather, by: origin, take: wind_speed, aggregate: max, over: [6 hours, 1 day]}
  delays: {windows: arrivals, by: [carrier, origin], take: arr_delay, aggregate: mean, over: [6 hours, 1 day]}
  total: {windows: arrivals, by: origin, take: arr_delay, aggregate: sum, over: 1 day}
  spread: {windows: arrivals, by: carrier, take: arr_delay, aggregate: std, over: 1 day}
  least: {windows: arrivals, by: carrier, take: arr_delay, aggregate: min, where: origin <> 'JFK', over: 1 day}
  late: {windows: arrivals, by: carrier, aggregate: share, where: arr_delay > 15, over: [6 hours, 1 day]}
  quiet: {windows: arrivals, by: tail_number, aggregate: since, over: 2 days}
  planes: {windows: arrivals, by: origin, take: tail_number, aggregate: distinct, over: 1 day}
  flown: {windows: arrivals, by: tail_number, aggregate: count, over: 1 day}
rule: {positive: aircraft > 30, says: the aircraft was late}
policy: {actions: {positive: Rebook, negative: Leave}}
"""
DEFINITION = parse_definition(TEXT, "flights.yaml")
LOOKED_UP = tuple(c for c in DEFINITION.plan.columns if isinstance(c, (Latest, Window)))
COLUMNS = {
    "departures": {
        "flight_id": "text",
        "carrier": "text",
        "origin": "text",
        "tail_number": "text",
        "scheduled": "datetime",
    },
    "arrivals": {
        "flight_id": "text",
        "carrier": "text",
        "origin": "text",
        "tail_number": "text",
        "arr_delay": "number",
        "arrived": "datetime",
        "reported": "datetime",
    },
    "weather": {"origin": "text", "hour": "datetime", "temp": "number", "wind_speed": "number", "precip": "number"},
}
_RAW = """
CREATE TABLE raw AS SELECT *, carrier || flight || origin || strftime(departs, '%m%d%H%M') AS flight_id,
  (departs + (dep_delay + air_time + 30) * INTERVAL 1 MINUTE)::TIMESTAMP AS arrived, row_number() OVER () AS n
FROM (SELECT *, time_hour::TIMESTAMP + minute * INTERVAL 1 MINUTE AS departs
      FROM read_csv('{folder}/flights.csv', nullstr='NA'))
WHERE month = 5 AND day BETWEEN 7 AND 9
"""
_MADE = {
    "departures": "SELECT flight_id, carrier, origin, tailnum, departs FROM raw WHERE n % 9 = 0 AND day = 9",
    # Every row as it was first reported, up to 4 hours late; every 7th corrected, every 50th deleted later.
    "arrivals": """
SELECT flight_id, carrier, origin, tailnum, arr_delay::DOUBLE AS arr_delay, arrived,
       arrived + (n % 5) * INTERVAL 1 HOUR AS reported, false AS _deleted FROM raw WHERE arrived IS NOT NULL
UNION ALL SELECT flight_id, carrier, CASE WHEN n % 2 = 0 THEN origin ELSE 'LGA' END, tailnum,
       CASE WHEN n % 3 = 0 THEN NULL ELSE arr_delay + 7.25 END, arrived, arrived + INTERVAL 9 HOUR, false
FROM raw WHERE n % 7 = 0 AND arrived IS NOT NULL
UNION ALL SELECT flight_id, carrier, origin, tailnum, NULL, arrived, arrived + INTERVAL 11 HOUR, true
FROM raw WHERE n % 50 = 0 AND arrived IS NOT NULL""",
    "weather": """
SELECT origin, time_hour::TIMESTAMP AS hour, temp, wind_speed, precip
FROM read_csv('{folder}/weather.csv', nullstr='NA') WHERE month = 5 AND day BETWEEN 6 AND 10""",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of each source with ``_known_at`` and ``_deleted`` at their end."""
    if not ARCHIVE.exists():
        pytest.skip("flights are not at hand")
    folder = tmp_path_factory.mktemp("flights")
    unpack(folder)
    with analytical() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_RAW.format(folder=folder))
        found = {name: connection.execute(sql.format(folder=folder)).fetchall() for name, sql in _MADE.items()}
    marked = {}
    for name, rows in found.items():
        clock = (
            -2
            if name == "arrivals"
            else list(COLUMNS[name]).index({"departures": "scheduled", "weather": "hour"}[name])
        )
        gone = name == "arrivals"
        marked[name] = [(*(row[:-1] if gone else row), row[clock], row[-1] if gone else False) for row in rows]
    return marked


@pytest.fixture(scope="module")
def training(
    tables: dict[str, list[tuple[Any, ...]]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """The training rows, by flight."""
    with analytical() as connection:
        for name, columns in COLUMNS.items():
            typed = ", ".join(f"{column} {TYPES['duckdb'][type_]}" for column, type_ in columns.items())
            connection.execute(f"CREATE TABLE {name} ({typed}, _known_at TIMESTAMP, _deleted BOOLEAN)")
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * (len(columns) + 2))})", tables[name])
        facts = relations.measure(connection, DEFINITION)
        for statement in training_script(DEFINITION, facts, ("arrivals",), datetime(2030, 1, 1, tzinfo=UTC)):
            connection.execute(statement)
        rows = connection.sql("SELECT * FROM training_set").to_arrow_table().to_pylist()
    assert len(rows) > 90
    return {row["entity"]: row for row in rows}


@pytest.fixture(scope="module", params=["duckdb", "sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tables: dict[str, list[tuple[Any, ...]]]) -> Iterator[Engine]:
    with engine(request.param) as opened:
        for name, columns in COLUMNS.items():
            opened.fill(name, {**columns, "_known_at": "datetime", "_deleted": "flag"}, tables[name])
        yield opened


def rows_of_sources() -> dict[str, Any]:
    engine_types = {"text": "VARCHAR", "number": "DOUBLE", "datetime": "TIMESTAMP"}
    return {
        name: relation_rows(
            name,
            DEFINITION.use_case.sources[name],
            needed_columns(DEFINITION)[name],
            {column: FoundColumn(column, type_, engine_types[type_]) for column, type_ in columns.items()},  # type: ignore[arg-type]
        )
        for name, columns in COLUMNS.items()
    }


def check(found: dict[str, Any], meant: dict[str, Any]) -> None:
    for column in LOOKED_UP:
        value = read(found[column.name], column.kind)
        if isinstance(column, Window) and column.aggregate in ("sum", "mean", "std"):
            assert value == (meant[column.name] and pytest.approx(meant[column.name], rel=1e-9)), column.name
        else:
            assert value == meant[column.name], column.name


def test_over_history_every_flight_has_the_columns_of_its_training_row(
    filled: Engine, training: dict[str, dict[str, Any]]
) -> None:
    spine = "(SELECT *, scheduled AS _moment FROM departures)"
    found = filled.ask(history_query(spine, groups(DEFINITION.plan), rows_of_sources(), SPELLINGS[filled.dialect]))
    assert {row["flight_id"] for row in found} == set(training)
    for row in found:
        check(row, training[row["flight_id"]])


def test_live_every_flight_has_the_columns_of_its_training_row(
    filled: Engine, training: dict[str, dict[str, Any]], tables: dict[str, list[tuple[Any, ...]]]
) -> None:
    one = live_query(groups(DEFINITION.plan), rows_of_sources(), SPELLINGS[filled.dialect])
    for flight, carrier, origin, tail_number, scheduled, *_ in tables["departures"][:40]:
        given = {"carrier": carrier, "origin": origin, "tail_number": tail_number, "moment": scheduled}
        check(filled.ask(one, given)[0], training[flight])
