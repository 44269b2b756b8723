"""Saying again and again that one lives, as long as something lasts: how a lease of seconds is held for hours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

LEASE = timedelta(seconds=20)
"""Who says nothing for so long is taken for dead. The dead one's work is taken up well within half a minute."""
BEAT_SECONDS = 5.0
"""So often it is said: three may be missed, as when the database is busy."""

log = structlog.get_logger()


@contextmanager
def beating(beat: Callable[[], bool], name: str, every_seconds: float | None = None) -> Iterator[threading.Event]:
    """Call ``beat`` from a thread until the end. It says whether the lease still is ours; the event is set once not.

    A database that does not answer ends nothing here: the next beat may reach it, and if none does, the lease ends.
    """
    pause = BEAT_SECONDS if every_seconds is None else every_seconds
    ended, lost = threading.Event(), threading.Event()

    def repeat() -> None:
        while not ended.wait(pause):
            try:
                if not beat():
                    lost.set()
                    return
            except SQLAlchemyError as error:
                log.warning("lease_not_renewed", of=name, error=type(error).__name__)

    thread = threading.Thread(target=repeat, name=f"beat of {name}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        ended.set()
        thread.join()
