"""Turns what a worker sees of itself into incidents, and closes those whose cause is seen to be gone.

What was seen while the database was away is told when it is back. Needs a thread of its own: the application gives it
one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from pilotage.decisions.records import Trouble
from pilotage.monitor.incidents import flow, rules
from pilotage.platform.workspace import Workspace

_LOOK_SECONDS = 2.0
_STILL_SECONDS = 15.0
"""How often a worker says of a trouble that lasts that it still does: several times while an incident must be calm."""

Cause = tuple[str, str, str, str]


class Watched(Protocol):
    """What is watched: it says what is wrong now, and what is known to be well again."""

    def present(self) -> Sequence[Trouble]:
        """What is wrong at this moment, from memory."""

    def gone(self, kind: str, use_case: str, version: str, place: str) -> str:
        """What shows that this is over; empty where nothing does. Silence shows nothing."""


class Watch:
    """One worker's part in incidents."""

    def __init__(self, work: Workspace, watched: Watched) -> None:
        self._work = work
        self._watched = watched
        self._present: dict[Cause, float] = {}
        self._to_tell: dict[Cause, tuple[Trouble, int]] = {}
        self._tell_at = 0.0
        self._look_at = 0.0

    def look(self) -> None:
        """Look once; what is repeated several times a second.

        Raises:
            SQLAlchemyError: the database is down; what was seen is told later.
        """
        self._see()
        if self._to_tell and time.monotonic() >= self._tell_at:
            self._tell_at = time.monotonic() + _LOOK_SECONDS  # where the database is away, not at each look
            self._tell()
            self._tell_at = 0.0
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_SECONDS
            self._close()

    def _see(self) -> None:
        """Note what begins, and from time to time what lasts."""
        now = time.monotonic()
        seen = {_cause(each): each for each in self._watched.present()}
        for cause, trouble in seen.items():
            begins = cause not in self._present
            if begins or now - self._present[cause] >= _STILL_SECONDS:
                self._present[cause] = now
                times = self._to_tell[cause][1] if cause in self._to_tell else 0
                self._to_tell[cause] = (trouble, times + begins)
        self._present = {cause: at for cause, at in self._present.items() if cause in seen}

    def _tell(self) -> None:
        for cause, (trouble, times) in list(self._to_tell.items()):
            flow.see(
                self._work, trouble.kind, trouble.why, trouble.use_case, trouble.version, trouble.place, times=times
            )
            del self._to_tell[cause]

    def _close(self) -> None:
        now = self._work.clock.now()
        for incident in flow.listed(self._work, only_open=True, limit=None):
            if rules.is_calm(incident, now):
                evidence = self._watched.gone(incident.kind, incident.use_case, incident.version, incident.place)
                if evidence:
                    flow.close_if_calm(self._work, incident, evidence)


def _cause(trouble: Trouble) -> Cause:
    return trouble.kind, trouble.use_case, trouble.version, trouble.place
