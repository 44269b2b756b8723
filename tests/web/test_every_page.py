"""Every page of the console in a browser: nothing serious by axe-core, no sideways scroll, words explained."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from pilotage.web.glossary import glossary
from tests.browser import launch
from tests.every_page import DESK, PHONE, addresses, faults, routes, visited
from tests.review.arranging import adopt

pytestmark = pytest.mark.browser
LOOKS = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark phone": {"viewport": PHONE, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as opened:
        yield opened


def _all_faults(work: Workspace, browser: Browser, look: str) -> dict[str, list[str]]:
    with visited(work, browser, **LOOKS[look]) as opened:
        found = {route: faults(opened(route, at)) for route, at in addresses(work, build_console(work)).items()}
    return {route: wrong for route, wrong in found.items() if wrong}


@pytest.mark.parametrize("look", ["light", pytest.param("dark phone", marks=pytest.mark.long)])
def test_no_page_of_a_filled_installation_has_a_serious_fault(filled: Workspace, browser: Browser, look: str) -> None:
    console = build_console(filled)
    assert set(addresses(filled, console)) == set(routes(console)), "some page was not looked at"
    assert _all_faults(filled, browser, look) == {}


@pytest.mark.long
@pytest.mark.parametrize("look", LOOKS)
def test_no_page_of_an_empty_installation_has_a_serious_fault(work: Workspace, browser: Browser, look: str) -> None:
    adopt(work)
    assert _all_faults(work, browser, look) == {}


def test_a_word_of_the_glossary_is_opened_and_closed_by_keyboard_without_a_script(
    filled: Workspace, browser: Browser
) -> None:
    with visited(filled, browser, viewport=PHONE, java_script_enabled=False) as opened:
        page = opened("/use-cases/{use_case}", "/use-cases/late_arrival")
        word = page.get_by_role("button", name="Stage", exact=True)
        word.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".definition:popover-open")).to_contain_text(glossary()["stage"])
        box = page.locator(".definition:popover-open").bounding_box()
        page.keyboard.press("Escape")
        expect(page.locator(".definition:popover-open")).to_have_count(0)
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


def test_decisions_are_searched_and_one_is_opened_by_keyboard_only(filled: Workspace, browser: Browser) -> None:
    with visited(filled, browser, viewport=DESK) as opened:
        page = opened("/use-cases/{use_case}/decisions", "/use-cases/late_arrival/decisions")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # to the content
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "q":
                break
        page.keyboard.type("UA3")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=UA3**")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name="UA3").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("UA3")


@pytest.mark.parametrize("name", ["brief", "readiness"])
def test_what_is_to_be_sent_prints_on_one_page(filled: Workspace, browser: Browser, name: str) -> None:
    with visited(filled, browser) as opened:
        page = opened(f"/use-cases/{{use_case}}/{name}", f"/use-cases/late_arrival/{name}")
        paper = page.pdf(format="A4", margin={"top": "15mm", "bottom": "15mm", "left": "15mm", "right": "15mm"})
    assert paper.count(b"/Type /Page\n") == 1
