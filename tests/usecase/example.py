"""A use-case file that is in order, and a way to put mistakes into it."""

from __future__ import annotations

from pilotage.platform.errors import InvalidFile, Problem
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition

TEXT = """\
use_case: late_arrival
title: Late arrivals
owner: dispatch-lead@airline.example
data_owner: data-desk@airline.example

brief:
  workflow: Planners rebook passengers when an inbound aircraft is late.
  users: Dispatch planners
  decision: One hour before departure, rebook or leave the plan as it is.
  kpi: Rebooking cost per late arrival
  risk: limited
  latency_ms: 100
  value: {currency: USD, caught: 180, false_alarm: -60, review_minute: -1}

sources:
  flights: {database: env:DISPATCH, table: flights, key: [flight_id], event_time: departure, known_at: published_at}
  arrivals: {database: env:DISPATCH, table: arrivals, key: [flight_id], event_time: arr_time, known_at: recorded_at}
  weather: {files: env:WEATHER/*.parquet, key: [origin, hour], event_time: hour, known_at: published_at}

decision:
  entity: flight_id
  source: flights
  moment: departure - INTERVAL '60' MINUTE
  request:
    carrier: category
    origin: category
    tail_number: {kind: category, required: false}
    distance: {kind: number, unit: miles}
    departure: datetime

outcome:
  source: arrivals
  positive: arr_delay > 30
  says: arrives more than 30 minutes late

inputs:
  carrier: request
  distance: request
  hour: {derived: EXTRACT(HOUR FROM departure)}
  weekday: {derived: EXTRACT(DOW FROM departure), kind: category}
  aircraft_delay: {latest: arrivals, by: tail_number, take: arr_delay, says: last arrival of this aircraft}
  weather: {latest: weather, by: origin, take: [temp_f, wind_mph], within: 6 hours}
  recent: {windows: arrivals, by: [carrier, origin], take: [arr_delay, late], over: [24 hours, 7 days]}

rule:
  positive: aircraft_delay > 30
  says: the last arrival of the same aircraft was late

policy:
  actions: {positive: Prepare rebooking, negative: Leave as planned}
  default: negative
"""


def changed(*replacements: tuple[str, str]) -> str:
    """The example with texts replaced; each must be there."""
    text = TEXT
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def defined(*replacements: tuple[str, str]) -> Definition:
    return parse_definition(changed(*replacements), "example.yaml")


def problems(text: str) -> list[Problem]:
    """What is wrong with a text."""
    try:
        parse_definition(text, "example.yaml")
    except InvalidFile as error:
        return list(error.problems)
    return []


def place(text: str, part: str) -> tuple[int, int]:
    """Line and column of a part that occurs once."""
    assert text.count(part) == 1, part
    before = text[: text.index(part)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def only_problem(*replacements: tuple[str, str]) -> Problem:
    found = problems(changed(*replacements))
    assert len(found) == 1, found
    return found[0]
