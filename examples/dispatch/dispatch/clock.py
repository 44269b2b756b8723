"""The simulated clock: one row that says what the office knows up to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, inspect, select, update

from .errors import DispatchError
from .tables import clock


@dataclass(frozen=True)
class Clock:
    """The office's time and the last instant its world reaches, both UTC."""

    now: datetime
    ends_at: datetime


def read_clock(connection: Connection) -> Clock:
    """The clock as it stands."""
    row = connection.execute(select(clock.c.now, clock.c.ends_at)).one()
    return Clock(now=row.now, ends_at=row.ends_at)


def hold_clock(connection: Connection) -> Clock:
    """The clock, held until the transaction ends, so that two commands never move it at once.

    Writing the row before reading it takes the write lock on SQLite and the row lock on PostgreSQL alike.
    """
    connection.execute(update(clock).values(now=clock.c.now))
    return read_clock(connection)


def set_clock(connection: Connection, now: datetime) -> None:
    """Moves the clock; the events up to then belong in the same transaction."""
    connection.execute(update(clock).values(now=now))


def find_clock(engine: Engine) -> Clock | None:
    """The clock of a loaded database, or None when nothing has been loaded."""
    if not inspect(engine).has_table(clock.name):
        return None
    with engine.connect() as connection:
        row = connection.execute(select(clock.c.now, clock.c.ends_at)).one_or_none()
    return Clock(now=row.now, ends_at=row.ends_at) if row else None


def require_clock(engine: Engine) -> Clock:
    """The clock of a loaded database; a plain refusal when nothing has been loaded."""
    found = find_clock(engine)
    if found is None:
        raise DispatchError(
            "The dispatch office is empty: run `python -m dispatch load --months 1-12 --start 2013-12-01T05:00` first."
        )
    return found
