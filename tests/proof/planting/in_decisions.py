"""Faults of the outcome, and leaks."""

from __future__ import annotations

from tests.proof.planting.faults import Fault, other_key

_OUTCOME = (("outcomes", "*"),)
_SOURCES = "\n  weather:\n    files:"
_INPUTS = "\n  payload: {latest"
_SOURCE = (
    "\n  {0}:\n    files: FOLDER/{0}.parquet\n    key: [flight_id]\n    event_time: at\n    known_at: at" + _SOURCES
)
_LATE = "flight_id IN (SELECT flight_id FROM outcomes WHERE delay_minutes > 30)"

_OTHER = other_key("flight_id")
_FREE = f"{_OTHER} NOT IN (SELECT flight_id FROM flights)"

CONTRADICTING = Fault(
    "contradictory labels",
    "flights again under another key, with the other outcome",
    ("contradictory-labels",),
    _OUTCOME,
    (
        (
            f"CREATE TEMP TABLE again AS SELECT flight_id, {_OTHER} AS other FROM flights "
            f"WHERE hit(flight_id) AND {_FREE};"
            "INSERT INTO outcomes SELECT other, CASE WHEN delay_minutes > 30 THEN -5 ELSE 45 END, known_at "
            "FROM outcomes JOIN again USING (flight_id);"
            "INSERT INTO flights SELECT * EXCLUDE other REPLACE (other AS flight_id) FROM flights JOIN again "
            "USING (flight_id)"
        ),
    ),
    also=("same-event-twice",),
)
NOISE = Fault(
    "label noise",
    "outcomes turned round at random",
    ("label-noise",),
    _OUTCOME,
    ("UPDATE outcomes SET delay_minutes = CASE WHEN delay_minutes > 30 THEN -5 ELSE 45 END WHERE hit(flight_id)",),
    high=False,
)
DRIFT = Fault(
    "drift of the base rate",
    "three in five flights an hour later since mid-month: two thirds late, before one in six",
    ("shifting-outcome",),
    _OUTCOME,
    (
        (
            "UPDATE outcomes SET delay_minutes = delay_minutes + 60 WHERE known_at >= since() "
            "AND hash(flight_id || 'drift') % 5 < 3"
        ),
    ),
    rated=False,
)
KNOWN_AFTER = Fault(
    "known after the decision",
    "the delay at departure as an input",
    ("known-after-decision",),
    (("departures", "dep_delay"),),
    ("SELECT 1",),
    rated=False,
    edits=((_INPUTS, "\n  push_back: {latest: departures, by: flight_id, take: dep_delay}" + _INPUTS),),
    also=("incomplete-input",),
)
TOO_GOOD = Fault(
    "too good alone",
    "a forecast stamped a day early that was made from the delay",
    ("too-good-to-be-true",),
    (("forecasts", "minutes"), ("forecasts", "forecast")),
    (
        (
            "CREATE TABLE forecasts AS SELECT flight_id, dep_delay + hash(flight_id || 'noise') % 7 AS minutes, "
            "scheduled_departure - INTERVAL 1 DAY AS at FROM departures JOIN flights USING (flight_id)"
        ),
    ),
    rated=False,
    edits=(
        (_SOURCES, _SOURCE.format("forecasts")),
        (_INPUTS, "\n  forecast: {latest: forecasts, by: flight_id, take: minutes}" + _INPUTS),
    ),
)
COPY = Fault(
    "copy of the label",
    "a code of the desk, stamped a day early, that says late or not",
    ("copy-of-the-label",),
    (("desk", "code"), ("desk", "desk_code")),
    (
        (
            "CREATE TABLE desk AS SELECT flight_id, CASE WHEN delay_minutes > 30 THEN 'R' ELSE 'G' END AS code, "
            "scheduled_departure - INTERVAL 1 DAY AS at FROM outcomes JOIN flights USING (flight_id)"
        ),
    ),
    rated=False,
    edits=(
        (_SOURCES, _SOURCE.format("desk")),
        (_INPUTS, "\n  desk_code: {latest: desk, by: flight_id, take: code, kind: category}" + _INPUTS),
    ),
)
IDENTIFIER = Fault(
    "identifier carrying the label",
    "late flights with R at the end of their key",
    ("identifier-carries-label",),
    (("flights", "flight_id"),),
    (
        f"CREATE TEMP TABLE renamed AS SELECT flight_id FROM flights WHERE often(flight_id) AND {_LATE};"
        + ";".join(
            f"UPDATE {table} SET flight_id = flight_id || 'R' WHERE flight_id IN (FROM renamed)"
            for table in ("flights", "departures", "arrivals", "outcomes", "tower")
        ),
    ),
)
JOIN = Fault(
    "leak through a join",
    "fleet.payload made from the outcomes of the month",
    ("leaks-through-join",),
    (("fleet", "payload"),),
    (
        (
            "UPDATE fleet SET payload = CAST(1000 + 9000 * late + hash(fleet.tail_number) % 500 AS BIGINT) FROM "
            "(SELECT tail_number AS tail, avg(CAST(delay_minutes > 30 AS INTEGER)) AS late FROM outcomes "
            "JOIN flights USING (flight_id) WHERE tail_number IS NOT NULL GROUP BY ALL) WHERE tail = fleet.tail_number"
        ),
    ),
    rated=False,
)
_LOOKED_UP = """
  aircraft_last_delay:
    latest: arrivals
    by: tail_number
    take: arr_delay
    within: 30 days
    says: last arrival of this aircraft, minutes late
"""
_WEATHER = """
  weather:
    latest: weather
    by: origin
    take:
      temp_f: temperature at the origin, °F
      wind_speed_mph: wind at the origin, mph
      precipitation_in: rain or snow at the origin, inches
      pressure_mb: air pressure at the origin, mb
      visibility_miles: visibility at the origin, miles
    within: 6 hours
  recent:
    windows: arrivals
    by: [carrier, origin, destination]
    take: {arr_delay: minutes late, late: share of late arrivals}
    over: [1 day, 7 days]
"""
TWINS = Fault(
    "train/test twins",
    "flights filed again three weeks later, with the outcome they had; inputs without what changes by the hour",
    ("twins",),
    (("flights", "flight_id"),),
    (
        (
            f"CREATE TEMP TABLE again AS SELECT flight_id, {_OTHER} AS other FROM flights "
            f"JOIN outcomes USING (flight_id) WHERE hit(flight_id) AND known_at < till() - INTERVAL 24 DAY AND {_FREE};"
            "INSERT INTO outcomes SELECT other, delay_minutes, known_at + INTERVAL 21 DAY FROM outcomes "
            "JOIN again USING (flight_id);"
            "INSERT INTO flights SELECT * EXCLUDE other REPLACE (other AS flight_id, published_at + INTERVAL 21 DAY AS "
            "published_at, scheduled_departure + INTERVAL 21 DAY AS scheduled_departure, "
            "scheduled_arrival + INTERVAL 21 DAY AS scheduled_arrival) FROM flights JOIN again USING (flight_id)"
        ),
    ),
    high=False,
    edits=(
        (_LOOKED_UP, "\n"),
        (_WEATHER, "\n"),
        ("COALESCE(aircraft_last_delay, 0) > 30", "distance_miles > 2000"),
        ("the last arrival of the same aircraft was more than 30 minutes late", "it is far"),
    ),
)
