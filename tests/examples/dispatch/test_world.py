"""The world: the archive's clock readings as UTC instants, and how each flight ends."""

from datetime import datetime, timedelta

import pytest

from dispatch.office import Office
from dispatch.world import Event, Kind

END = datetime.fromisoformat("2013-03-01T00:00")


def all_of(office: Office, kind: Kind) -> dict[object, Event]:
    return {event["flight_id"]: event for batch in office.world.events(kind, None, END) for event in batch}


def test_every_flight_of_january_ends_one_way(office: Office) -> None:
    flights, arrivals = all_of(office, "flights"), all_of(office, "arrivals")
    cancellations, departures = all_of(office, "cancellations"), all_of(office, "departures")
    assert len(flights) == 27_004
    assert arrivals.keys() | cancellations.keys() == flights.keys()
    assert not arrivals.keys() & cancellations.keys()
    cancelled = {key for key, event in cancellations.items() if event["kind"] == "cancelled"}
    assert cancelled == flights.keys() - departures.keys()
    assert {event["kind"] for event in cancellations.values()} == {"cancelled", "diverted", "no record"}


def test_an_ending_is_known_when_it_would_have_been(office: Office) -> None:
    flights, departures = all_of(office, "flights"), all_of(office, "departures")
    for key, ending in all_of(office, "cancellations").items():
        flight = flights[key]
        if ending["kind"] == "cancelled":
            assert ending["recorded_at"] == flight["scheduled_departure"]
        else:
            scheduled, departed = flight["scheduled_arrival"], departures[key]["dep_time"]
            assert isinstance(scheduled, datetime) and isinstance(departed, datetime)
            assert ending["recorded_at"] == max(scheduled + timedelta(hours=3), departed)


@pytest.mark.parametrize(
    ("flight_id", "scheduled_arrival", "arrived"),
    [
        # The archive's first row: 5:15 from Newark, 8:19 in Houston (one hour behind), 11 minutes late.
        ("20130101-UA1545-EWR", datetime.fromisoformat("2013-01-01T14:19"), datetime.fromisoformat("2013-01-01T14:30")),
        # 23:59 from Kennedy to Puerto Rico (an hour ahead in winter), due the next morning at 4:45, 20 minutes early.
        ("20130101-B6739-JFK", datetime.fromisoformat("2013-01-02T08:45"), datetime.fromisoformat("2013-01-02T08:25")),
        # The longest delay of the year: 21 hours out to Honolulu.
        ("20130109-HA51-JFK", datetime.fromisoformat("2013-01-10T01:30"), datetime.fromisoformat("2013-01-10T22:42")),
    ],
)
def test_arrivals_are_utc(office: Office, flight_id: str, scheduled_arrival: datetime, arrived: datetime) -> None:
    assert all_of(office, "flights")[flight_id]["scheduled_arrival"] == scheduled_arrival
    assert all_of(office, "arrivals")[flight_id]["arr_time"] == arrived


def test_an_interval_excludes_its_start_and_includes_its_end(office: Office) -> None:
    middle = datetime.fromisoformat("2013-01-05T12:30")
    before = [event for batch in office.world.events("arrivals", None, middle) for event in batch]
    after = [event for batch in office.world.events("arrivals", middle, END) for event in batch]
    assert len(before) + len(after) == len(all_of(office, "arrivals"))
    assert max(str(event["recorded_at"]) for event in before) <= str(middle)
    assert min(str(event["recorded_at"]) for event in after) > str(middle)
