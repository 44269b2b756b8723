"""Promise 18: 0 double-effective reviews, however many race for a case; and nothing is ever approved by time-out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow, opinions_store, store
from pilotage.review.records import Filter, Opinion
from tests.promises.racing import MEET_SECONDS_MAX, PEOPLE, RACERS, Tried, in_processes, in_threads
from tests.promises.table import Promise
from tests.review.arranging import NAME, a_decision, go_live, record, reviewer
from tests.review.test_intake import adopted

pytestmark = pytest.mark.both_stores
SHORT = 5
LONG = {("sqlite", 1): 1_200, ("sqlite", 2): 600, ("postgresql", 1): 2_000, ("postgresql", 2): 1_000}
"""Cases by store and how many must agree: 102,400 attempts together, two of each racer in each round."""
APPROVED = Opinion(
    case="",
    round=0,
    use_case=NAME,
    person="",
    verdict="approved",
    answer=True,
    reason="",
    blind=False,
    seconds=1.0,
    at=datetime(2013, 12, 5, tzinfo=UTC),
)


def waiting(work: Workspace, cases: int, wanted: int = 1) -> list[str]:
    """A use case with so many cases that wait for so many people."""
    adopted(work, "  four_eyes: [uncertain]\n" if wanted == 2 else "")
    go_live(work)
    record(work, *(a_decision(work.clock.now(), review=True) for _ in range(cases)))
    flow.take_in(work)
    found = [case.id for case in flow.queue(work, NAME, limit=cases)]
    assert len(found) == cases
    return found


def shared(tried: Sequence[Tried], cases: Sequence[str], rounds: int) -> int:
    """Rounds of a case in which not exactly one person had the lease, or not exactly one verdict counted."""
    holders: dict[tuple[str, int], set[str]] = {}
    for each in tried:
        for held in each.leased:
            holders.setdefault(held, set()).add(each.person)
    counted = Counter(each for found in tried for each in found.counted)
    every = [(case, at) for case in cases for at in range(rounds)]
    return sum(len(holders.get(each, ())) != 1 or counted[each] != 1 for each in every)


def doubled(work: Workspace, cases: Sequence[str], wanted: int) -> int:
    """Cases whose verdict is not the only one that counts, or does not stand on just as many people as it must."""
    standing = sa.select(opinions_store.opinions.c.case, opinions_store.opinions.c.person).where(
        opinions_store.opinions.c.undone_at.is_(None)
    )
    verdicts = sa.select(store.events.c.case).where(store.events.c.kind == "verdict")
    with work.database.reading() as connection:
        given = connection.execute(standing).all()
        settled = Counter(connection.execute(verdicts).scalars())
    people: dict[str, list[str]] = {case: [] for case in cases}
    for case, person in given:
        people[case].append(person)
    return sum(settled[case] != 1 or len(who) != wanted or len(set(who)) != wanted for case, who in people.items())


@pytest.mark.parametrize("is_long", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "thousands"])
@pytest.mark.parametrize("wanted", [1, 2], ids=["one person", "two people"])
def test_one_verdict_counts_however_many_race(
    work: Workspace, store: str, promise: Promise, wanted: int, is_long: bool
) -> None:
    cases = waiting(work, LONG[store, wanted] if is_long else SHORT, wanted)
    race = in_processes if is_long and store == "postgresql" else in_threads

    tried = race(work, cases, wanted)

    states = Counter(case.state for case in flow.queue(work, NAME, Filter(state="decided"), limit=len(cases)))
    attempts = sum(each.attempts for each in tried)
    twice, torn = doubled(work, cases, wanted), shared(tried, cases, wanted)
    assert attempts == 2 * RACERS * wanted * len(cases)
    promise(
        18,
        what=f"{wanted} to agree, {store}",
        figure=(
            f"{twice} of {len(cases):,} cases decided twice, {torn} leases shared, {attempts:,} attempts, "
            f"{RACERS} at once{f' from {PEOPLE} processes' if race is in_processes else ''}"
        ),
        n=attempts,
        passed=twice == 0 and torn == 0 and states == {"approved": len(cases)},
    )


def test_the_database_keeps_one_opinion_of_a_round(work: Workspace, store: str, promise: Promise) -> None:
    cases = waiting(work, 2 * SHORT)
    barrier = threading.Barrier(RACERS)

    def writes(number: int) -> int:
        kept = 0
        for case in cases:
            said = msgspec.structs.replace(APPROVED, case=case, person=f"r{number}")
            barrier.wait(MEET_SECONDS_MAX)
            try:
                with work.database.writing() as connection:
                    opinions_store.insert_opinion(connection, said)
            except sa.exc.IntegrityError:
                continue
            kept += 1
        return kept

    with ThreadPoolExecutor(RACERS) as pool:
        kept = sum(pool.map(writes, range(RACERS)))

    promise(
        18,
        what=f"second lock, {store}",
        figure=f"{kept} of {len(cases) * RACERS} opinions kept on {len(cases)} cases",
        n=len(cases) * RACERS,
        passed=kept == len(cases),
    )


@pytest.mark.only_sqlite
def test_nothing_is_approved_by_time_out(work: Workspace, clock: FixedClock, promise: Promise) -> None:
    cases = waiting(work, 200)
    for case in cases[:20]:
        flow.lease(work, case, reviewer("r0"))

    for _ in range(16):
        clock.advance(timedelta(hours=12))
        flow.tend(work)

    lapsed = flow.queue(work, NAME, Filter(state="lapsed"), limit=300)
    with work.database.reading() as connection:
        given = connection.execute(sa.select(sa.func.count()).select_from(opinions_store.opinions)).scalar_one()
    ended = len(lapsed)
    promise(
        18,
        what="time",
        figure=f"{200 - ended} of 200 cases approved or left by waiting eight days, {given} opinions",
        n=200,
        passed=ended == 200 and given == 0 and all(case.verdict_answer is True for case in lapsed),
    )
