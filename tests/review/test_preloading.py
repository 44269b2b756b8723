"""The next case is ready while one is judged, and shown at once: still one case per person, and nothing of it early."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Page, Route, expect

from pilotage.govern.cookies import SESSION
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Case, Filter
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review.arranging import NAME, go_live, recorded, reviewer
from tests.review.serving import console, session
from tests.review.test_intake import adopted
from tests.review.test_pages import sent
from tests.review.test_queue_pages import NOT_SAID

QUEUE = f"/use-cases/{NAME}/queue"
ANNA, BEN = reviewer("anna"), reviewer("ben")


def filled(work: Workspace, clock: FixedClock, count: int) -> Workspace:
    for number in range(1, count + 1):
        clock.advance(timedelta(minutes=1))
        recorded(work, entity=f"UA{number}", review=True, band="uncertain", probability=0.27)
    flow.take_in(work)
    return work


def named(work: Workspace, entity: str) -> Case:
    states = (Filter(), Filter(state="decided"))
    return next(each for state in states for each in flow.queue(work, NAME, state) if each.entity == entity)


def holders(work: Workspace) -> dict[str, str]:
    return {each.entity: each.leased_to for each in flow.queue(work, NAME) if each.leased_to}


@contextmanager
def client_of(work: Workspace, name: str) -> Iterator[TestClient[Litestar]]:
    with TestClient(console(work), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(work, name))
        yield client


@contextmanager
def desk(work: Workspace, *names: str, script: bool = True) -> Iterator[list[Page]]:
    """Each of these people in front of the queue."""
    with serving(console(work)) as origin, launch() as browser:
        pages = []
        for name in names:
            context = browser.new_context(
                base_url=origin, viewport={"width": 1200, "height": 900}, java_script_enabled=script
            )
            context.add_cookies([{"name": SESSION, "value": session(work, name), "url": origin}])
            page = context.new_page()
            page.goto(QUEUE)
            pages.append(page)
        yield pages


def started(page: Page, entity: str) -> None:
    page.keyboard.press("s")
    shows(page, entity)
    ready(page)
    page.evaluate("window.isTheSame = true")


def shows(page: Page, entity: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(entity)


def ready(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # two presses within 300 ms are one


@pytest.mark.both_stores
def test_the_case_taken_ahead_is_the_persons_own_and_its_time_begins_when_it_is_shown(
    live: Workspace, clock: FixedClock
) -> None:
    filled(live, clock, 3)
    first = flow.lease_next(live, NAME, ANNA)
    assert first and first.entity == "UA1"
    second = flow.lease_ahead(live, first.id, first.fence, ANNA)
    assert second and (second.entity, second.leased_to) == ("UA2", "anna")
    with pytest.raises(Conflict):
        flow.lease(live, second.id, BEN)

    clock.advance(timedelta(minutes=4))
    third = flow.lease_ahead(live, second.id, second.fence, ANNA, begun=True)
    clock.advance(timedelta(seconds=10))
    flow.submit(live, second.id, second.fence, "approved", None, "", ANNA)

    assert third and third.entity == "UA3"  # and not UA1, which she holds in another window
    assert [each.seconds for each in flow.opinions_on(live, second.id)] == [10]


@pytest.mark.both_stores
def test_nothing_is_taken_ahead_by_who_does_not_hold_the_case_or_where_none_is_left(
    live: Workspace, clock: FixedClock
) -> None:
    filled(live, clock, 1)
    first = flow.lease_next(live, NAME, ANNA)
    assert first
    assert flow.lease_ahead(live, first.id, first.fence, ANNA) is None
    recorded(live, entity="UA9", review=True)
    with pytest.raises(Conflict):
        flow.lease_ahead(live, first.id, first.fence, BEN)
    with pytest.raises(Conflict):
        flow.lease_ahead(live, first.id, first.fence + 1, ANNA)
    with pytest.raises(Conflict, match="anna is working on case"):  # which she holds in another window
        flow.lease(live, first.id, ANNA, from_oneself=False)
    assert holders(live) == {"UA1": "anna"}


def test_the_page_of_a_blind_case_that_is_ready_hides_the_model(work: Workspace, clock: FixedClock) -> None:
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    decisions = [recorded(work, entity=f"UA{number}", probability=0.6731) for number in (1, 2)]
    with client_of(work, "anna") as client:
        page = sent(client, f"{QUEUE}/next")
        case = re.search(r"/queue/cases/(case_\w+)/verdict", page)
        assert case
        ahead = sent(client, f"/queue/cases/{case[1]}/ahead", fence="1")

    assert "its opinion is kept from you" in ahead and f"/queue/cases/{case[1]}/undo" in ahead
    for secret in ("67", "Calibrated", "Worth acting", "74 minutes late", "Answer given", "rule says", "ver_1"):
        assert secret not in re.sub(NOT_SAID, "", ahead), secret
    assert not [each for each in decisions if each.id in ahead]


@pytest.mark.browser
def test_cases_follow_each_other_without_a_page_being_loaded(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 4)
    complaints: list[str] = []
    with desk(live, "anna") as (page,):
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        started(page, "UA1")
        page.keyboard.press("a")
        shows(page, "UA2")
        expect(page.get_by_text("Kept: your verdict on UA1.")).to_be_visible()
        assert page.title().startswith("UA2") and named(live, "UA2").id in page.url
        expect(page.get_by_role("main")).to_be_focused()
        ready(page)
        page.keyboard.press("c")
        page.keyboard.press("3")
        shows(page, "UA3")
        ready(page)
        page.keyboard.press("k")
        shows(page, "UA4")
        expect(page.get_by_text("Kept: your verdict")).to_have_count(0)
        ready(page)
        page.keyboard.press("a")
        shows(page, "UA3")  # which was skipped
        assert page.evaluate("window.isTheSame") is True
        ready(page)
        page.go_back()  # to the case before, as it is now
        shows(page, "UA4")
        expect(page.get_by_text("This case was approved by anna.")).to_be_visible()
    decided = {each.entity: each.state for each in flow.queue(live, NAME, Filter(state="decided"))}
    assert decided == {"UA1": "approved", "UA2": "corrected", "UA4": "approved"}
    assert complaints == []


@pytest.mark.browser
def test_a_verdict_is_taken_back_also_while_it_is_on_its_way(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 3)
    with desk(live, "anna") as (page,):
        started(page, "UA1")
        on_their_way: list[Route] = []

        def hold_first(route: Route) -> None:
            if on_their_way:
                route.continue_()
            else:
                on_their_way.append(route)

        page.route("**/verdict", hold_first)
        page.keyboard.press("a")
        shows(page, "UA2")
        expect(page.get_by_text("Keeping: your verdict on UA1.")).to_be_visible()
        page.keyboard.press("u")
        on_their_way[0].continue_()
        shows(page, "UA1")
        expect(page.get_by_text("Yours until")).to_be_visible()
        ready(page)
        page.keyboard.press("a")
        shows(page, "UA2")  # it had been given back, and comes first again
        ready(page)
    assert named(live, "UA1").state == "approved"


@pytest.mark.browser
def test_who_leaves_gives_back_what_was_not_shown(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 3)
    with desk(live, "anna") as (page,):
        started(page, "UA1")
        assert holders(live) == {"UA1": "anna", "UA2": "anna"}
        page.goto("/")
        page.wait_for_load_state("networkidle")
        assert holders(live) == {"UA1": "anna"}
        page.goto(QUEUE)
        started(page, "UA1")
        page.get_by_role("button", name="Give it back").click()
        page.wait_for_url(f"**{QUEUE}")
        page.wait_for_load_state("networkidle")
        assert holders(live) == {}


@pytest.mark.browser
def test_two_reviewers_are_never_on_one_case(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 8)
    with desk(live, "anna", "ben") as (anna, ben):
        started(anna, "UA1")
        started(ben, "UA3")
        seen: list[str] = []
        for page, next_one in ((anna, "UA2"), (ben, "UA4"), (anna, "UA5"), (ben, "UA6")):
            page.keyboard.press("a")
            shows(page, next_one)
            ready(page)
            seen.append(next_one)
    by = {each.entity: each.verdict_by for each in flow.queue(live, NAME, Filter(state="decided"))}
    assert by == {"UA1": "anna", "UA2": "anna", "UA3": "ben", "UA4": "ben"}


@pytest.mark.browser
def test_a_case_that_somebody_else_took_is_not_shown(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 3)
    with desk(live, "anna") as (page,):
        page.clock.install()
        started(page, "UA1")
        second = named(live, "UA2")
        flow.release_lease(live, second.id, second.fence, ANNA)  # as when her computer had slept
        flow.lease(live, second.id, BEN)
        page.clock.fast_forward(61_000)
        ready(page)
        page.keyboard.press("a")
        shows(page, "UA3")
    assert named(live, "UA2").leased_to == "ben"


@pytest.mark.browser
def test_a_verdict_that_came_too_late_is_said_beside_the_next_case(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 2)
    with desk(live, "anna") as (page,):
        started(page, "UA1")
        clock.advance(timedelta(minutes=6))
        flow.lease(live, named(live, "UA1").id, BEN)
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text("Your verdict on UA1 does not count.")
        expect(page.get_by_role("alert")).to_contain_text("ben has taken case")
        expect(page.get_by_text("This case is not yours any more")).to_be_visible()
        expect(page.get_by_role("button", name="Approve")).to_be_disabled()
        page.get_by_role("link", name="Look at UA1 again").click()
        shows(page, "UA1")
    assert flow.counts(live, NAME).closed == 0


@pytest.mark.browser
def test_one_press_too_many_judges_no_case_that_nobody_saw(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 4)
    with desk(live, "anna") as (page,):
        started(page, "UA1")
        page.keyboard.press("a")
        page.keyboard.press("a")
        shows(page, "UA2")
        ready(page)
        page.get_by_role("button", name="Approve").dblclick()
        shows(page, "UA3")
        ready(page)
    assert flow.counts(live, NAME).closed == 2


@pytest.mark.browser
def test_a_session_that_is_over_leads_to_the_log_in(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 2)
    with desk(live, "anna") as (page,):
        started(page, "UA1")
        page.context.clear_cookies(name=SESSION)
        page.keyboard.press("a")
        page.wait_for_url("**/log-in**")
    assert flow.counts(live, NAME).closed == 0


@pytest.mark.browser
def test_everything_works_without_scripts(live: Workspace, clock: FixedClock) -> None:
    filled(live, clock, 3)
    with desk(live, "anna", script=False) as (page,):
        page.get_by_role("button", name="Start reviewing").click()
        shows(page, "UA1")
        page.get_by_role("button", name="Approve").click()
        shows(page, "UA2")
        page.get_by_role("button", name="Undo").click()
        shows(page, "UA1")
        page.get_by_role("button", name="Skip").click()
        shows(page, "UA2")
    assert holders(live) == {"UA2": "anna"}
