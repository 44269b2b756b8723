"""People with two windows each who all try for the same review case at the same moment, in one process or several."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from msgspec import Struct

from pilotage.govern.records import Principal
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, NotAllowed
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.review import flow
from tests.review.arranging import reviewer

PEOPLE, WINDOWS = 4, 2
RACERS = PEOPLE * WINDOWS
MEET_SECONDS_MAX = 120.0
"""A racer who waits longer for the others has lost them to an error, and says so."""
Meet = Callable[[], object]
_barriers: list[Barrier] = []


class Tried(Struct, frozen=True):
    """What one person's windows did: calls made, (case, round) of the leases they got, and of verdicts that counted."""

    person: str
    attempts: int
    leased: list[tuple[str, int]]
    counted: list[tuple[str, int]]


def in_threads(work: Workspace, cases: Sequence[str], rounds: int) -> list[Tried]:
    """Everybody races for every case, as threads of this process."""
    barrier = threading.Barrier(RACERS)
    with ThreadPoolExecutor(PEOPLE) as pool:
        racing = [
            pool.submit(_windows, work, lambda: barrier.wait(MEET_SECONDS_MAX), number, cases, rounds)
            for number in range(PEOPLE)
        ]
        return [each.result() for each in racing]


def in_processes(work: Workspace, cases: Sequence[str], rounds: int) -> list[Tried]:
    """The same with a process for each person, over one database."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(RACERS)
    settings = (work.settings.home, work.settings.database_url, work.clock.now())
    with ProcessPoolExecutor(PEOPLE, context, initializer=_meet_at, initargs=(barrier,)) as pool:
        racing = [pool.submit(_process, *settings, number, list(cases), rounds) for number in range(PEOPLE)]
        return [each.result() for each in racing]


def _meet_at(barrier: Barrier) -> None:
    _barriers.append(barrier)


def _process(home: Path, database_url: str, now: datetime, number: int, cases: list[str], rounds: int) -> Tried:
    work = open_workspace(Settings(home=home, database_url=database_url), FixedClock(now))
    try:
        return _windows(work, lambda: _barriers[0].wait(MEET_SECONDS_MAX), number, cases, rounds)
    finally:
        work.close()


def _windows(work: Workspace, meet: Meet, number: int, cases: Sequence[str], rounds: int) -> Tried:
    person = reviewer(f"r{number}")
    with ThreadPoolExecutor(WINDOWS) as pool:
        racing = [pool.submit(_race, work, meet, person, cases, rounds) for _ in range(WINDOWS)]
        found = [each.result() for each in racing]
    return Tried(
        person=person.name,
        attempts=sum(attempts for attempts, _, _ in found),
        leased=[each for _, leased, _ in found for each in leased],
        counted=[each for _, _, counted in found for each in counted],
    )


def _race(work: Workspace, meet: Meet, person: Principal, cases: Sequence[str], rounds: int) -> Any:
    """One window's way through the cases: all meet, try to take one, meet again, and judge it by the fence it has.

    Whoever has no lease tries all the same, under the fence of whoever has.
    """
    attempts, leased, counted = 0, list[tuple[str, int]](), list[tuple[str, int]]()
    for case in cases:
        for at in range(rounds):
            meet()
            attempts += 1
            if _is_taken(lambda: flow.lease(work, case, person)):  # noqa: B023
                leased.append((case, at))
            meet()
            fence = flow.find_case(work, case).fence
            is_mine = (case, at) in leased[-1:]
            meet()
            attempts += 1
            verdict = ("approved", None) if is_mine else ("corrected", False)
            if _is_taken(lambda: flow.submit(work, case, fence, *verdict, "looked", person)):  # noqa: B023
                counted.append((case, at))
    return attempts, leased, counted


def _is_taken(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (Conflict, NotAllowed):
        return False
    return True
