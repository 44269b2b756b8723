"""The reviewer's keyboard in a real browser: approve in one key, correct in two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pilotage.govern.cookies import SESSION
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Filter
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review.arranging import NAME, recorded
from tests.review.serving import console, session

pytestmark = pytest.mark.browser


@pytest.fixture
def page(live: Workspace, clock: FixedClock) -> Iterator[Page]:
    """Anna in front of a queue of three flights."""
    for number in (1, 2, 3):
        clock.advance(timedelta(minutes=1))
        recorded(live, entity=f"UA{number}", review=True, band="uncertain", probability=0.27)
    token = session(live, "anna")
    with serving(console(live)) as origin, launch() as browser:
        context = browser.new_context(base_url=origin, viewport={"width": 1200, "height": 900})
        context.add_cookies([{"name": SESSION, "value": token, "url": origin}])
        yield context.new_page()


def test_three_cases_are_decided_without_the_mouse(page: Page, live: Workspace, tmp_path: Path) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"/use-cases/{NAME}/queue")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("UA1")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("UA2")
    page.keyboard.press("c")
    expect(page.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("3")
    expect(page.get_by_role("heading", level=1)).to_have_text("UA3")
    page.keyboard.press("r")
    page.keyboard.press("1")
    expect(page.get_by_text("nothing is left for you")).to_be_visible()

    closed = flow.queue(live, NAME, Filter(state="decided"))
    decided = {
        state: [case for case in closed if case.state == state] for state in ("approved", "corrected", "rejected")
    }
    assert [case.entity for case in decided["approved"]] == ["UA1"]
    assert [(case.entity, case.verdict_reason) for case in decided["corrected"]] == [("UA2", "Exception agreed")]
    assert [(case.entity, case.verdict_reason) for case in decided["rejected"]] == [("UA3", "Data looks wrong")]
    assert complaints == []


def test_letters_typed_into_the_reason_are_no_shortcuts(page: Page, live: Workspace) -> None:
    page.goto(f"/use-cases/{NAME}/queue")
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_label("Or in your own words").press_sequentially("a crew change")

    expect(page.get_by_role("heading", level=1)).to_have_text("UA1")
    assert flow.counts(live, NAME).closed == 0


def test_the_mouse_is_led_to_what_is_missing_too(page: Page, live: Workspace) -> None:
    page.goto(f"/use-cases/{NAME}/queue")
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_role("button", name="Cannot be decided").click()

    expect(page.get_by_role("radio").first).to_be_focused()
    assert flow.counts(live, NAME).closed == 0


def test_a_case_that_was_lost_is_said_and_its_buttons_rest(page: Page, live: Workspace, clock: FixedClock) -> None:
    page.clock.install()
    page.goto(f"/use-cases/{NAME}/queue")
    page.get_by_role("button", name="Start reviewing").click()
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    clock.advance(timedelta(minutes=6))
    page.clock.fast_forward(61_000)

    expect(page.get_by_text("This case is not yours any more")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
