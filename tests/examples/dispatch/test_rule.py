"""The rule's advice is what a reader of the arrivals would have given at that moment."""

from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from dispatch.advance import advance
from dispatch.office import Office
from dispatch.rule import advise
from dispatch.tables import alerts, arrivals, flights

from .conftest import START


def test_alerts_equal_a_naive_recomputation(office: Office) -> None:
    now = advance(office, START + timedelta(hours=24))
    with office.engine.connect() as connection:
        raised = {row.flight_id: row for row in connection.execute(select(alerts))}
        planned = connection.execute(select(flights)).all()
        landed = defaultdict(list)
        for row in connection.execute(select(arrivals)):
            landed[row.tail_number].append(row)
    since = START - timedelta(hours=24)
    due = [row for row in planned if since < row.scheduled_departure - timedelta(hours=1) <= now]
    assert {row.flight_id for row in due} == set(raised)
    assert 20 < sum(row.rebook for row in raised.values()) < len(raised) / 4
    for flight in due:
        moment = flight.scheduled_departure - timedelta(hours=1)
        known = [row for row in landed[flight.tail_number] if row.recorded_at <= moment]
        last = max(known, key=lambda row: (row.recorded_at, row.flight_id), default=None)
        late = flight.tail_number is not None and last is not None and last.arr_delay > 30
        assert raised[flight.flight_id].rebook == late
        assert raised[flight.flight_id].raised_at == moment


@pytest.mark.parametrize(
    ("delay", "rebook", "reason"),
    [
        (52.0, True, "N1 last arrived 52 minutes late at 17:20 UTC"),
        (30.0, False, "N1 last arrived 30 minutes late at 17:20 UTC"),
        (1.0, False, "N1 last arrived 1 minute late at 17:20 UTC"),
        (0.0, False, "N1 last arrived on time at 17:20 UTC"),
        (-8.0, False, "N1 last arrived 8 minutes early at 17:20 UTC"),
    ],
)
def test_the_reason_is_a_plain_sentence(office: Office, delay: float, rebook: bool, reason: str) -> None:
    at = datetime.fromisoformat("2013-01-03T17:20")
    arrival = {
        "flight_id": "F", "carrier": "UA", "tail_number": "N1", "origin": "EWR", "destination": "ORD",
        "dep_delay": 0.0, "arr_time": at, "arr_delay": delay, "air_time": 90.0, "late": 0, "recorded_at": at,
    }  # fmt: skip
    with office.engine.connect() as connection:
        connection.execute(insert(arrivals), arrival)
        advice = advise(connection, "G", "N1", at)
        assert (advice.rebook, advice.reason) == (rebook, reason)
        earlier = advise(connection, "G", "N1", at - timedelta(minutes=1))
        assert (earlier.rebook, earlier.reason) == (False, "N1 has no arrival on record")


def test_a_flight_without_an_aircraft_is_not_rebooked(office: Office) -> None:
    with office.engine.connect() as connection:
        assert not advise(connection, "G", None, START).rebook
