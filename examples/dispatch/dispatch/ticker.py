"""Runs the simulated clock at a multiple of the wall's, in one thread that stops when asked."""

import logging
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from .advance import advance
from .clock import require_clock
from .office import Office

TICK_SECONDS = 1.0
STOP_SECONDS = 10.0
log = logging.getLogger(__name__)


class Ticker:
    """Moves the clock about once a second until stopped or until the world ends."""

    def __init__(self, office: Office, speed: float) -> None:
        self._office = office
        self._speed = speed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to stop and waits for the step it is in, ten seconds at most."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        last = time.monotonic()
        owed = timedelta()
        while not self._stopping.wait(TICK_SECONDS):
            current = time.monotonic()
            owed += timedelta(seconds=(current - last) * self._speed)
            last = current
            owed -= self._move(timedelta(seconds=owed // timedelta(seconds=1)))

    def _move(self, distance: timedelta) -> timedelta:
        """Moves by the distance and returns it, or nothing when the database was busy: the next tick makes up."""
        try:
            now = require_clock(self._office.engine).now
            advance(self._office, _whole_second(now + distance), self._stopping.is_set)
        except OperationalError:
            log.warning("the clock could not be moved; the next tick tries again", exc_info=True)
            return timedelta()
        return distance


def _whole_second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
