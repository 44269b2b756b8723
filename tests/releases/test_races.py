"""Two who change at once what is live: one wins, and the other is told, with status 409."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest
from tests.living import NAME, Visitor, visitor
from tests.releases.distinguishable import adopted, version_saying

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Role
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow
from pilotage.releases.records import Stage

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
    assert all("changed meanwhile" in each.message for each in told)
    assert [each.revision for each in flow.history(work, NAME)] == [judged + 1]

    flow.release(work, definition, made[-1], SYSTEM, "the newest")
    judged = flow.live(work, NAME).revision
    told = at_once(lambda _: flow.roll_back(work, NAME, SYSTEM, "back", judged))
    assert len(told) == PEOPLE - 1
    past = flow.history(work, NAME, limit=None)
    assert [each.revision for each in past] == [3, 2, 1], "what was live when is only ever added to"
    assert past[0].version == past[2].version
    assert len(list(governing.entries(work, "version.rolled_back"))) == 1


def sent_at_once(work: Workspace, path: str, shown_on: str = f"/use-cases/{NAME}/versions") -> list[httpx.Response]:
    """What two owners are told who looked at the same page and press the same button."""
    barrier = Barrier(2)

    def press(person: Visitor, revision: str) -> httpx.Response:
        barrier.wait()
        return person.post(path, {"reason": "better so", "revision": revision})

    with visitor(work, Role.OWNER) as anna, visitor(work, Role.OWNER, "*") as ben, ThreadPoolExecutor(2) as pool:
        pages = [each.get(shown_on).text for each in (anna, ben)]
        revisions = [re.findall(r'name="revision" value="(\d+)"', page)[0] for page in pages]
        return sorted(pool.map(press, (anna, ben), revisions), key=lambda each: each.status_code)


@pytest.mark.parametrize(("button", "number"), [("roll-back", 2), ("versions/1/release", 1)])
def test_of_two_owners_who_press_a_button_of_the_same_page_one_wins(work: Workspace, button: str, number: int) -> None:
    definition = adopted(work)
    made = [version_saying(work, definition, each) for each in (1, 2, 3)]
    for version in made:
        flow.release(work, definition, version, SYSTEM, "newer")
    won, lost = sent_at_once(work, f"/use-cases/{NAME}/{button}")
    assert (won.status_code, lost.status_code) == (303, 409)
    assert "changed meanwhile: revision 3 was looked at" in lost.text
    assert f"Version {number} is live" in lost.text, "the page shows what is live now"
    past = flow.history(work, NAME)
    assert [each.revision for each in past] == [4, 3, 2, 1]
    assert past[0].version == made[number - 1].id


def test_a_second_press_on_a_page_that_was_not_loaded_anew_goes_no_version_further_back(work: Workspace) -> None:
    definition = adopted(work)
    for number in (1, 2, 3):
        flow.release(work, definition, version_saying(work, definition, number), SYSTEM, "newer")
    with visitor(work, Role.OWNER) as person:
        form = {"reason": "worse", "revision": "3"}
        told = [person.post(f"/use-cases/{NAME}/roll-back", form).status_code for _ in range(2)]
        without = person.post(f"/use-cases/{NAME}/roll-back", {"reason": "worse"})
    assert told == [303, 409]
    assert without.status_code in (400, 422), "who does not say what was looked at changes nothing"
    assert flow.live(work, NAME).revision == 4


def test_who_advances_from_an_older_page_is_told_and_who_steps_back_is_let(work: Workspace) -> None:
    definition = adopted(work)
    flow.release(work, definition, version_saying(work, definition, 1), SYSTEM, "first")
    flow.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "tried")
    with visitor(work, Role.OWNER) as person:
        form = {"reason": "so", "percent": "20", "revision": "1"}
        advanced = person.post(f"/use-cases/{NAME}/stage", {**form, "stage": "assist"})
        back = person.post(f"/use-cases/{NAME}/stage", {**form, "stage": "off"})
    assert (advanced.status_code, back.status_code) == (409, 303)
    assert "changed meanwhile" in advanced.text
    assert flow.live(work, NAME).stage is Stage.OFF
