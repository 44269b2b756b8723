"""The clock: nothing from after it is known, and its steps leave no trace."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Column, func, select

from dispatch import advance as advancing
from dispatch.advance import advance
from dispatch.alerts import raise_due_alerts
from dispatch.clock import require_clock
from dispatch.office import Office
from dispatch.tables import alerts, arrivals, cancellations, departures, flights

from .conftest import START
from .contents import tables_of, weather_of

KNOWN_AT: list[Column[datetime]] = [
    flights.c.published_at,
    departures.c.recorded_at,
    arrivals.c.recorded_at,
    cancellations.c.recorded_at,
    alerts.c.raised_at,
]


def latest(office: Office, column: Column[datetime]) -> datetime:
    with office.engine.connect() as connection:
        found = connection.execute(select(func.max(column))).scalar_one()
    assert isinstance(found, datetime)
    return found


@pytest.mark.parametrize("column", KNOWN_AT, ids=str)
def test_nothing_is_known_before_it_happens(office: Office, column: Column[datetime]) -> None:
    assert START - timedelta(hours=12) < latest(office, column) <= START
    until = advance(office, START + timedelta(hours=16, minutes=7))
    assert START < latest(office, column) <= until


def test_a_day_at_once_equals_the_same_day_in_uneven_steps(new_office: Callable[[str], Office]) -> None:
    at_once, in_steps = new_office("at_once"), new_office("in_steps")
    end = START + timedelta(hours=26)
    advance(at_once, end)
    # Minutes while the evening is busy, then whatever comes.
    now = START
    for minutes in [1] * 20 + [7] * 12 + [61, 125, 300] + [600, 600]:
        now = advance(in_steps, min(now + timedelta(minutes=minutes), end))
    assert now == end
    assert tables_of(at_once) == tables_of(in_steps)
    assert weather_of(at_once) == weather_of(in_steps)


def test_a_second_move_to_the_same_instant_changes_nothing(office: Office) -> None:
    advance(office, START + timedelta(hours=3))
    before = tables_of(office)
    assert advance(office, START + timedelta(hours=3)) == START + timedelta(hours=3)
    assert advance(office, START) == START + timedelta(hours=3)
    assert tables_of(office) == before


def test_a_crash_before_the_alerts_is_mended_by_the_next_move(
    new_office: Callable[[str], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed, whole = new_office("crashed"), new_office("whole")
    end = START + timedelta(hours=14)

    def crash(*_: object) -> int:
        raise KeyboardInterrupt

    advance(crashed, START + timedelta(hours=10))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(advancing, "raise_due_alerts", crash)
        advance(crashed, end)
    assert require_clock(crashed.engine).now == START + timedelta(hours=11)
    advance(crashed, end)
    advance(whole, end)
    assert tables_of(crashed) == tables_of(whole)
    assert weather_of(crashed) == weather_of(whole)


def test_alerts_are_raised_once(office: Office) -> None:
    now = advance(office, START + timedelta(hours=12))
    assert raise_due_alerts(office.engine, now) == 0


def test_the_clock_stops_where_the_world_ends(office: Office) -> None:
    ends_at = require_clock(office.engine).ends_at
    assert datetime.fromisoformat("2013-02-01T05:00") < ends_at < datetime.fromisoformat("2013-02-03T00:00")
    assert office.world.ends_at() == ends_at


def test_a_move_can_be_stopped_between_steps(office: Office) -> None:
    answers = iter([False, False, True])
    assert advance(office, START + timedelta(hours=9), lambda: next(answers)) == START + timedelta(hours=2)
