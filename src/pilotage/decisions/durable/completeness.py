"""Whether every answer is accounted for: ``answered = durable + declared lost``, over workers and restarts.

*Answered* are the decisions that were handed to a spool and whose fate is settled there: each was made durable or was
declared lost, never both. *Durable* are those in the ledger and those in whole records of a segment here. *Declared
lost* are those that the spool did not take or took back, because it was full or its disk refused, failed or was too
slow; their answers said ``not_recorded``. What is left over is *missing*: durable once, and now nowhere.

In shadow nobody waits for a slow write that has begun: such an answer says ``not_recorded`` and counts as durable where
its record is durable after all.

Nothing is counted in memory alone. A segment opens with how many records its writer had made durable and lost before
it; the transaction that brings it into the ledger adds both to the writer's row, with how many were new there; and the
writer itself tells its row each second. So a removed segment is found by the next one, and the last one by the writer's
own word. What a crash takes of that word is at most what was lost in its last second.

Segments on another machine cannot be looked into from here: what its writers have not brought into the ledger yet is
told apart, as *elsewhere*.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from msgspec import Struct

from pilotage.decisions import metrics
from pilotage.decisions.durable import draining, tallies
from pilotage.decisions.durable.segments import DamagedSegment, NewerSegment, name_of, parse, segments, stream_of
from pilotage.decisions.durable.spool import Spool, Tally
from pilotage.platform.processes import ask_for_successor
from pilotage.platform.workspace import Workspace

_TELL_SECONDS = 1.0
_TELL_AGAIN_SECONDS = 24 * 3600.0
_OWN_ROW = timedelta(days=90)
"""So long after its last word a writer keeps an account of its own; one that lives says a word each day."""
_LOOK_SECONDS = 10.0
_PROBE_SECONDS = 5.0
_ASK_SECONDS = 60.0

log = structlog.get_logger()


class Completeness(Struct, frozen=True):
    """Decisions, counted over all that this installation ever answered through its spools.

    ``answered = durable + lost + missing + elsewhere``; ``missing`` must be 0. ``left_alone`` are files in the spool
    folder here that this release cannot read, by name: what is in them is not durable in the sense above.
    """

    answered: int
    durable: int
    lost: int
    missing: int
    elsewhere: int
    left_alone: tuple[str, ...] = ()


def completeness(work: Workspace) -> Completeness:
    """Count, in an order in which what moves from the spool into the ledger meanwhile is not missed: first what was
    reached, then what waits here, then what was kept.
    """
    folder = work.settings.spool_folder
    while True:
        before = _streams(work)
        waiting, unknown = _waiting(folder)
        after = {each.stream: each for each in _streams(work)}
        if all(each.stream in after for each in before):  # else some were added up meanwhile
            break
    return _summed([(each, after[each.stream]) for each in before], waiting, unknown, name_of(folder), folder)


def fold_old(work: Workspace) -> int:
    """Add up the accounts of writers of long ago, so that their number does not grow for ever; how many."""
    with work.database.writing() as connection:
        return tallies.fold(connection, work.clock.now() - _OWN_ROW)


def _summed(
    pairs: Sequence[tuple[tallies.Stream, tallies.Stream]],
    waiting: Counter[str],
    unknown: set[str],
    here: str,
    folder: Path,
) -> Completeness:
    answered = lost = missing = elsewhere = 0
    for before, after in pairs:
        found = after.kept + waiting[before.stream]
        short = 0 if before.stream in unknown else max(0, before.reached - found)
        is_here = before.folder == here
        missing += short if is_here else 0
        elsewhere += 0 if is_here else short
        answered += max(before.reached, after.kept) + before.lost
        lost += before.lost
    names = tuple(path.name for path in draining.left_alone(folder))
    return Completeness(answered, answered - lost - missing - elsewhere, lost, missing, elsewhere, names)


def _streams(work: Workspace) -> list[tallies.Stream]:
    with work.database.reading() as connection:
        return tallies.streams(connection)


def _waiting(folder: Path) -> tuple[Counter[str], set[str]]:
    """Whole records in segments here, by their writer; and writers of whom a segment is of a newer format."""
    found: Counter[str] = Counter()
    unknown = set()
    for path in segments(folder):
        try:
            found[stream_of(path)] += len(parse(path.read_bytes()).records)
        except NewerSegment:
            unknown.add(stream_of(path))
        except (FileNotFoundError, DamagedSegment):
            continue
    return found, unknown


class Bookkeeper:
    """One worker's part: tells what it did, watches that nothing is missing, and asks for a successor where needed.

    After a failed sync a process must never acknowledge again. It goes on answering without recording, and tries
    whether its disk makes a new file durable; when it does, it has its supervisor replace it. ``found`` is what the
    last count was, None before the first.
    """

    def __init__(
        self,
        work: Workspace,
        spool: Spool[Any],
        ask_for_successor: Callable[[], bool] = ask_for_successor,
    ) -> None:
        self._work = work
        self._spool = spool
        self._ask_for_successor = ask_for_successor
        self._told: Tally | None = None
        self._tell_again_at = 0.0
        self.found: Completeness | None = None
        self._missing = 0
        self._tell_at = 0.0
        self._look_at = 0.0
        self._probe_at = 0.0
        self._turn: int | None = None

    def look(self) -> None:
        """What a worker repeats several times a second.

        Raises:
            SQLAlchemyError: the database is down; nothing that was counted is forgotten.
        """
        self._heal()
        metrics.spool_state(self._spool.bytes_used, self._spool.has_failed)
        if time.monotonic() >= self._tell_at:
            self._tell_at = time.monotonic() + _TELL_SECONDS
            self.tell()
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_SECONDS
            self.check()

    def tell(self) -> None:
        """Write down what this process did, where that has changed."""
        tally = self._spool.tally()
        is_old = time.monotonic() >= self._tell_again_at
        if (tally == self._told and not is_old) or not (tally.recorded or tally.lost):
            return
        row = tallies.Stream(tally.stream, name_of(self._spool.folder), tally.recorded, 0, tally.lost)
        with self._work.database.writing() as connection:
            tallies.add(connection, row, self._work.clock.now())
        self._told, self._tell_again_at = tally, time.monotonic() + _TELL_AGAIN_SECONDS

    def check(self) -> Completeness:
        """Count, publish, and raise the alarm where more is missing than was known."""
        found = completeness(self._work)
        metrics.accounted(found.missing, found.elsewhere, len(found.left_alone))
        if found.missing > self._missing:
            log.error("decisions_missing", missing=found.missing, answered=found.answered, durable=found.durable)
        self._missing = found.missing
        self.found = found
        return found

    def _heal(self) -> None:
        if not self._spool.has_failed or time.monotonic() < self._probe_at:
            return
        self._probe_at = time.monotonic() + _PROBE_SECONDS
        if not self._spool.can_sync():
            log.error("disk_does_not_sync", folder=str(self._spool.folder))
        elif not self._is_first_to_ask():
            return
        elif self._ask_for_successor():
            self._probe_at = time.monotonic() + _ASK_SECONDS
            log.error("successor_asked_for", why="a sync had failed, and the disk works again: a new worker may record")
        else:
            log.error("restart_needed", why="a sync had failed, and the disk works again: only a restart may record")

    def _is_first_to_ask(self) -> bool:
        """One worker of a folder asks for all: its supervisor replaces every one. The lock ends with the process."""
        if self._turn is None:
            self._turn = os.open(self._spool.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
