"""How many reviews are open and done: what lapsed or was withdrawn is neither."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import httpx
import pytest
from tests.embed.hosting import serving
from tests.review.arranging import NAME, a_decision, adopt, record

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.monitor import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.review import store
from pilotage.review.records import Case, CaseState, QueueCounts
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console

pytestmark = pytest.mark.both_stores
STATES: tuple[CaseState, ...] = get_args(CaseState)


@pytest.fixture
def definition(work: Workspace, clock: FixedClock) -> Definition:
    """Of each state as many cases as its place in the list of states; every second one past its time."""
    definition, now = adopt(work), clock.now()
    for many, state in enumerate(STATES, 1):
        for number in range(many):
            decision = a_decision(now, entity=f"{state} {number}")
            record(work, decision)
            due = now + timedelta(hours=1 if number % 2 else -1)
            case = Case(
                id=new_id("case", now),
                decision=decision.id,
                use_case=NAME,
                entity=decision.entity,
                why="uncertain",
                note="",
                state=state,
                opened_at=now - timedelta(hours=many, minutes=number),
                due_at=due,
                falls_back_at=now + timedelta(days=1),
                rank=float(number),
                leased_to="anna" if state == "leased" else "",
                leased_until=now + timedelta(minutes=5 if number else -5) if state == "leased" else None,
            )
            with work.database.writing() as connection:
                store.insert_cases(connection, [case])
    return definition


def test_what_lapsed_or_was_withdrawn_is_neither_open_nor_done(work: Workspace, definition: Definition) -> None:
    found = flow.operation(work, definition)
    assert found.reviews_open == 1 + 2
    assert found.reviews_done == 3 + 4 + 5
    assert found.review_minutes == found.reviews_done * definition.use_case.review.minutes_per_case


def test_the_operate_page_says_the_same(work: Workspace, definition: Definition) -> None:
    password = governing.add_person(work, SYSTEM, "lead", (Grant(Role.OWNER, NAME),))
    cookies = {SESSION: governing.log_in(work, "lead", password)}
    with serving(build_console(work)) as origin, httpx.Client(base_url=origin, cookies=cookies, timeout=30) as client:
        page = client.get(f"/use-cases/{NAME}/operate").text
    assert "<b>3</b><span>reviews open" in page
    assert "<b>12</b><span>reviews done" in page


def test_a_queue_counts_what_waits_what_is_worked_on_what_is_late_and_what_is_closed(
    work: Workspace, definition: Definition, clock: FixedClock
) -> None:
    oldest = clock.now() - timedelta(hours=2, minutes=1)
    # Of the two leases one has run out: its case waits again. Late are the first of each state that waits.
    assert reviewing.counts(work, NAME) == QueueCounts(2, 1, 2, 3 + 4 + 5 + 6, oldest)


def test_a_queue_without_cases_counts_none(work: Workspace) -> None:
    adopt(work)
    assert reviewing.counts(work, NAME) == QueueCounts(0, 0, 0, 0, None)
