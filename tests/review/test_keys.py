"""The reviewer's keyboard in a real browser: approve in one key, correct in two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Filter
from tests.review.arranging import NAME, recorded
from tests.review.serving import seated

pytestmark = pytest.mark.browser


@pytest.fixture
def page(live: Workspace, clock: FixedClock, browser: Browser) -> Iterator[Page]:
    """Anna in front of a queue of ten flights."""
    for number in range(1, 11):
        clock.advance(timedelta(minutes=1))
        recorded(live, entity=f"UA{number}", review=True, band="uncertain", probability=0.27)
    with seated(live, browser, "anna", viewport={"width": 1200, "height": 900}) as page:
        yield page


DOES = {
    "a": ("approved", ""),
    "c1": ("corrected", "Data looks wrong"),
    "c3": ("corrected", "Exception agreed"),
    "r2": ("rejected", "I know something the model does not"),
}


def test_ten_cases_are_decided_without_the_mouse(page: Page, live: Workspace) -> None:
    """Faster than anybody reads: in which order they come is not said here, but each gets what was pressed on it."""
    pressed: dict[str, str] = {}
    heading = page.get_by_role("heading", level=1)
    page.keyboard.press("s")
    for keys in ("a", "c3", "k", "r2", "a", "c1", "a", "r2", "c3", "a", "c1"):
        expect(heading).to_have_text(re.compile(f"^(?!{['Review queue', *pressed][-1]}$)"), timeout=30_000)
        page.wait_for_load_state()
        entity = heading.inner_text()
        pressed.pop(entity, "")
        pressed[entity] = keys
        for key in keys:
            page.keyboard.press(key)
    expect(page.get_by_text("nothing is left for you")).to_be_visible(timeout=30_000)

    closed = {
        case.entity: (case.state, case.verdict_reason) for case in flow.queue(live, NAME, Filter(state="decided"))
    }
    assert len(closed) == 10
    assert closed == {entity: DOES[keys] for entity, keys in pressed.items()}


def test_letters_typed_into_the_reason_are_no_shortcuts(page: Page, live: Workspace) -> None:
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_label("Or in your own words").press_sequentially("a crew change")

    expect(page.get_by_role("heading", level=1)).to_have_text("UA1")
    assert flow.counts(live, NAME).closed == 0


def test_the_mouse_is_led_to_what_is_missing_too(page: Page, live: Workspace) -> None:
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_role("button", name="Cannot be decided").click()

    expect(page.get_by_role("radio").first).to_be_focused()
    assert flow.counts(live, NAME).closed == 0


def test_a_case_that_was_lost_is_said_and_its_buttons_rest(page: Page, live: Workspace, clock: FixedClock) -> None:
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Start reviewing").click()
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    clock.advance(timedelta(minutes=6))
    page.clock.fast_forward(61_000)

    expect(page.get_by_text("This case is not yours any more")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
