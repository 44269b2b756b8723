"""Promise 18: 0 double-effective reviews, however many race for a case; and nothing is ever approved by time-out."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from pilotage.govern.records import Principal
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, NotAllowed
from pilotage.platform.workspace import Workspace
from pilotage.review import flow, opinions_store, store
from pilotage.review.records import Case, Filter
from tests.promises.table import Promise
from tests.review.arranging import NAME, a_decision, go_live, record, reviewer
from tests.review.test_intake import adopted

THREADS = 8
PEOPLE = tuple(reviewer(f"r{number}") for number in range(THREADS))


def raced(work: Workspace, cases: int, want: int) -> int:
    """Everybody tries to take, judge and take back every case, in orders of their own; how many attempts that were."""
    record(work, *(a_decision(work.clock.now(), review=True) for _ in range(cases)))
    flow.take_in(work)
    waiting = flow.queue(work, NAME, limit=cases)
    assert len(waiting) == cases

    def tries(number: int) -> int:
        start = number * cases // THREADS
        return sum(_tried(work, case, PEOPLE[number], want) for case in waiting[start:] + waiting[:start])

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(tries, range(THREADS)))


def _tried(work: Workspace, case: Case, person: Principal, want: int) -> int:
    try:
        held = flow.lease(work, case.id, person)
        flow.submit(work, case.id, held.fence, "approved", None, "", person)
        flow.submit(work, case.id, held.fence, "corrected", False, "again", person)  # the same lease, used twice
    except (Conflict, NotAllowed):
        pass
    for fence in range(1, want + 1):  # leases that are over, or another's
        try:
            flow.submit(work, case.id, fence, "corrected", False, "late", person)
        except (Conflict, NotAllowed):
            continue
        return 100_000_000  # it counted
    return 2 + want


def doubled(work: Workspace, want: int) -> list[Any]:
    """Cases whose verdict is not the only one that counts, or does not stand on just as many people as it must."""
    with work.database.reading() as connection:
        given = connection.execute(
            sa.select(opinions_store.opinions.c.case, opinions_store.opinions.c.person).where(
                opinions_store.opinions.c.undone_at.is_(None)
            )
        ).all()
        settled = connection.execute(
            sa.select(store.events.c.case, sa.func.count())
            .where(store.events.c.kind == "verdict")
            .group_by(store.events.c.case)
        ).all()
    people: dict[str, list[str]] = {}
    for case, person in given:
        people.setdefault(case, []).append(person)
    wrong: list[Any] = [(case, who) for case, who in people.items() if len(who) != want or len(set(who)) != want]
    return wrong + [(case, count) for case, count in settled if count != 1]


@pytest.mark.parametrize(
    "cases", [12, pytest.param(3_200, marks=pytest.mark.long)], ids=["some cases", "thousands of cases"]
)
@pytest.mark.parametrize("want", [1, 2], ids=["one person", "two people"])
def test_one_verdict_counts_however_many_race(work: Workspace, promise: Promise, cases: int, want: int) -> None:
    adopted(work, "  four_eyes: [uncertain]\n" if want == 2 else "")
    go_live(work)

    attempts = raced(work, cases, want * 2)

    states = Counter(case.state for case in flow.queue(work, NAME, Filter(state="decided"), limit=cases))
    wrong = doubled(work, want)
    promise(
        18,
        what=f"{want} to agree",
        figure=f"{len(wrong)} of {cases:,} cases decided twice, {attempts:,} attempts by {THREADS} at once",
        n=attempts,
        passed=wrong == [] and states == {"approved": cases} and attempts < 100_000_000,
    )


def test_nothing_is_approved_by_time_out(work: Workspace, clock: FixedClock, promise: Promise) -> None:
    adopted(work, "")
    go_live(work)
    record(work, *(a_decision(clock.now(), review=True) for _ in range(200)))
    flow.take_in(work)
    for case in flow.queue(work, NAME)[:20]:
        flow.lease(work, case.id, PEOPLE[0])

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
