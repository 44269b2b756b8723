"""When a source is read again: as often as its file says, and less often the longer it fails."""

from __future__ import annotations

from datetime import datetime, timedelta

from pilotage.data.records import SourceState
from pilotage.usecase.records import Source, seconds

_FAILING_AT_MOST = timedelta(hours=1)
_FAILING_AT_FIRST = timedelta(minutes=1)
_DOUBLINGS_MAX = 12


def interval(source: Source, default: timedelta) -> timedelta:
    """How often a source is read while all is well."""
    return timedelta(seconds=seconds(source.refresh)) if source.refresh else default


def wait(state: SourceState, every: timedelta) -> timedelta:
    """How long after its last try a source is due.

    A failing one is tried after a minute at most, even if it is read once a day only, then after two, four, …, an hour.
    """
    if not state.failures:
        return every
    doubled: int = 1 << min(state.failures - 1, _DOUBLINGS_MAX)
    return min(min(every, _FAILING_AT_FIRST) * doubled, _FAILING_AT_MOST)


def is_due(state: SourceState | None, every: timedelta, now: datetime) -> bool:
    """Whether a source is to be read now; one that was never tried is."""
    return state is None or state.last_try is None or state.last_try + wait(state, every) <= now
