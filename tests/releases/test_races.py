"""Two who change at once what is live: one wins, and the other is told, with status 409."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.living import NAME
from tests.releases.distinguishable import adopted, version_saying

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow

pytestmark = pytest.mark.both_stores
PEOPLE = 6


def at_once(change: Callable[[int], object]) -> list[Conflict]:
    """Those of so many who were told that another came first; whoever fails otherwise fails the test."""
    barrier = Barrier(PEOPLE)

    def one(number: int) -> Conflict | None:
        barrier.wait()
        try:
            change(number)
        except Conflict as error:
            return error
        return None

    with ThreadPoolExecutor(PEOPLE) as pool:
        return [each for each in pool.map(one, range(PEOPLE)) if each is not None]


def test_of_promotions_and_roll_backs_that_looked_at_the_same_revision_one_wins(work: Workspace) -> None:
    definition = adopted(work)
    made = [version_saying(work, definition, number) for number in (1, 2, *range(3, 3 + PEOPLE))]
    judged = flow.live(work, NAME).revision
    told = at_once(lambda at: flow.release(work, definition, made[at], SYSTEM, f"number {at}", judged))
    assert len(told) == PEOPLE - 1
    assert {each.status for each in told} == {409}
    assert all("changed while another version was being released" in each.message for each in told)
    assert [each.revision for each in flow.history(work, NAME)] == [judged + 1]

    flow.release(work, definition, made[-1], SYSTEM, "the newest")
    judged = flow.live(work, NAME).revision
    told = at_once(lambda _: flow.roll_back(work, NAME, SYSTEM, "back", judged))
    assert len(told) == PEOPLE - 1
    past = flow.history(work, NAME, limit=None)
    assert [each.revision for each in past] == [3, 2, 1], "what was live when is only ever added to"
    assert past[0].version == past[2].version
    assert len(list(governing.entries(work, "version.rolled_back"))) == 1
