"""Moves the clock: everything that became known on the way is recorded, and the alerts due are raised."""

from collections.abc import Callable
from datetime import datetime, timedelta

from .alerts import raise_due_alerts
from .clock import hold_clock, require_clock, set_clock
from .office import Office
from .recording import RECORD, record_kind
from .weather import publish_recent

# Short steps keep each transaction small and let other readers of the tables keep up with a long move.
LONGEST_STEP = timedelta(hours=1)


def advance(office: Office, until: datetime, stopped: Callable[[], bool] = lambda: False) -> datetime:
    """Moves the clock to the instant (UTC) or to the end of the world, and returns where it then stands.

    However long the steps, the tables come out the same: each alert is asked as of its own moment. A move that is
    cut short leaves whole steps behind it, and the next move does what the last one left undone.
    """
    clock = require_clock(office.engine)
    target = min(until, clock.ends_at)
    now = clock.now
    while now < target and not stopped():
        now = _step(office, min(now + LONGEST_STEP, target))
    return now


def _step(office: Office, until: datetime) -> datetime:
    _record_events(office, until)
    raise_due_alerts(office.engine, until)
    publish_recent(office.world, office.weather_folder, until)
    return until


def _record_events(office: Office, until: datetime) -> None:
    with office.engine.begin() as connection:
        before = hold_clock(connection).now
        if before >= until:
            return
        for kind in RECORD:
            record_kind(connection, office.world, kind, before, until)
        set_clock(connection, until)
