"""A reviewer's page in a real browser: on a phone, for everybody, within a view."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Filter
from tests.every_page import PHONE, faults
from tests.review.arranging import NAME, recorded, reviewer
from tests.review.serving import seated

pytestmark = pytest.mark.browser


@pytest.fixture
def filled(live: Workspace, clock: FixedClock) -> Workspace:
    """A queue of six flights of two airlines."""
    for number in range(1, 7):
        clock.advance(timedelta(minutes=1))
        airline = "UA" if number % 2 else "DL"
        recorded(live, entity=f"{airline}{number}", review=True, band="uncertain", probability=0.27)
    flow.take_in(live)
    return live


def shows(page: Page, entity: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(entity, timeout=30_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # two presses within 300 ms are one


def test_a_case_is_taken_and_judged_on_a_phone_by_touch(filled: Workspace, browser: Browser) -> None:
    look = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
    with seated(filled, browser, "anna", **look) as page:
        page.get_by_role("link", name="DL2").tap()
        page.get_by_role("button", name="Take this case").tap()
        expect(page.get_by_text("Yours until")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("button", name="Correct").tap()
        expect(page.get_by_text("Say why: the number of a reason")).to_be_in_viewport()
        page.get_by_text("Exception agreed").tap()
        page.get_by_role("button", name="Correct").tap()
        shows(page, "UA1")
        page.get_by_role("button", name="Approve").tap()
        expect(page.get_by_role("heading", level=1)).to_have_text("UA3", timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    by = {case.entity: case.state for case in flow.queue(filled, NAME, Filter(state="decided"))}
    assert by == {"DL2": "corrected", "UA1": "approved"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_wrong_with_the_form_and_the_keys(filled: Workspace, browser: Browser, scheme: str) -> None:
    case = flow.lease_next(filled, NAME, reviewer("anna"))
    assert case
    with seated(filled, browser, "anna", f"/queue/cases/{case.id}", color_scheme=scheme) as page:
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
        assert faults(page) == []
        page.keyboard.press("c")
        expect(page.get_by_text("Say why: the number of a reason")).to_be_visible()
        assert faults(page) == []
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        assert faults(page) == []


@pytest.mark.parametrize("script", [True, False])
def test_who_starts_in_a_view_stays_in_it(filled: Workspace, browser: Browser, script: bool) -> None:
    with seated(filled, browser, "anna", f"/use-cases/{NAME}/queue?entity=ua", java_script_enabled=script) as page:
        page.get_by_role("button", name="Start reviewing").click()
        shows(page, "UA1")
        page.get_by_role("button", name="Approve").click()
        shows(page, "UA3")
        page.get_by_role("button", name="Undo").click()
        shows(page, "UA1")
        page.get_by_role("button", name="Skip").click()
        shows(page, "UA3")
        page.get_by_role("button", name="Approve").click()
        shows(page, "UA1")
        page.get_by_role("button", name="Approve").click()
        shows(page, "UA5")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("nothing like this is left for you")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("searchbox", name="Case")).to_have_value("ua")
    waiting = {case.entity: case.leased_to for case in flow.queue(filled, NAME)}
    assert waiting == {"DL2": "", "DL4": "", "DL6": ""}
