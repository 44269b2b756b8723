"""Stage, switch and the pages of people by keyboard only; the words of these pages say what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.review import flow as reviewing
from pilotage.web.glossary import glossary
from tests.browser import launch
from tests.every_page import DESK, PHONE, visited
from tests.living import NAME, release, visitor
from tests.review.arranging import adopt, go_live, recorded
from tests.review.test_intake import adopted

HOME = f"/use-cases/{NAME}"
TABS_MAX = 80


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as opened:
        yield opened


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """A use case in assist with a released version."""
    release(work, adopt(work), 1)
    go_live(work)
    return work


def _tab_to(page: Page, what: str) -> None:
    """Press Tab until the element that this expression tells of has the focus, as somebody without a mouse would."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate(f"(() => {{ const at = document.activeElement; return Boolean({what}); }})()"):
            return
    raise AssertionError(f"nothing that is {what} within {TABS_MAX} steps")


@pytest.mark.browser
def test_one_switches_off_and_on_again_by_keyboard_only(live: Workspace, browser: Browser) -> None:
    with visited(live, browser, viewport=DESK) as opened:
        page = opened("/use-cases/{use_case}", HOME)
        _tab_to(page, "at.name === 'reason' && at.form.action.endsWith('/switch')")
        page.keyboard.type("the weather feed is wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The app gets the rule's answer until it is switched on again")).to_be_visible()
        assert not releasing.live(live, NAME).enabled
        _tab_to(page, "at.name === 'reason' && at.form.action.endsWith('/switch')")
        page.keyboard.type("it is right again")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Switch on"
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Switch off")).to_be_visible()
    found = releasing.live(live, NAME)
    assert (found.enabled, found.reason) == (True, "it is right again")


@pytest.mark.browser
def test_without_a_reason_the_switch_stays_and_says_what_it_wants(live: Workspace, browser: Browser) -> None:
    with visited(live, browser, viewport=DESK) as opened:
        page = opened("/use-cases/{use_case}", HOME)
        _tab_to(page, "at.textContent === 'Switch off'")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.name") == "reason"
        assert page.evaluate("!document.activeElement.validity.valid")
    assert releasing.live(live, NAME).enabled


@pytest.mark.browser
def test_one_steps_back_a_stage_by_keyboard_only(live: Workspace, browser: Browser) -> None:
    with visited(live, browser, viewport=DESK) as opened:
        page = opened("/use-cases/{use_case}", HOME)
        _tab_to(page, "at.name === 'reason' && at.form.action.endsWith('/stage')")
        page.keyboard.type("too many overrides")
        _tab_to(page, "at.textContent === 'Step back to shadow'")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Step back to off")).to_be_visible()
    found = releasing.live(live, NAME)
    assert (found.stage.value, found.reason) == ("shadow", "too many overrides")


@pytest.mark.browser
def test_somebody_is_shut_out_and_let_in_again_by_keyboard_only(live: Workspace, browser: Browser) -> None:
    governing.add_person(live, SYSTEM, "zora", (Grant(Role.VIEWER),))
    with visited(live, browser, viewport=DESK) as opened:
        page = opened("/people", "/people")
        page.on("dialog", lambda asked: asked.accept())
        row = page.get_by_role("row", name=re.compile("zora"))
        row.locator("summary").focus()
        page.keyboard.press("Enter")
        _tab_to(page, "at.textContent === 'Disable zora'")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Enable zora")).to_be_visible()
        assert governing.person_named(live, "zora").disabled_at is not None
        _tab_to(page, "at.textContent === 'Enable zora'")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Enable zora")).to_have_count(0)
    assert governing.person_named(live, "zora").disabled_at is None


@pytest.mark.browser
@pytest.mark.parametrize(
    ("route", "word", "shown"),
    [
        ("/people", "card secret", "card secret"),
        ("/me", "role", "Roles"),
        ("/audit-log", "checkpoint", "checkpoint"),
    ],
)
def test_words_of_these_pages_open_and_close_by_keyboard_within_a_phone(
    live: Workspace, browser: Browser, route: str, word: str, shown: str
) -> None:
    with visited(live, browser, viewport=PHONE, java_script_enabled=False) as opened:
        page = opened(route, route)
        page.locator("button.term", has_text=re.compile(f"^{shown}$")).first.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".definition:popover-open")).to_contain_text(glossary()[word])
        box = page.locator(".definition:popover-open").bounding_box()
        page.keyboard.press("Escape")
        expect(page.locator(".definition:popover-open")).to_have_count(0)
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


TERM = re.compile(
    r'popovertarget="(term-\d+)">([^<]*)</button><span popover class="definition" id="(term-\d+)"><b>([^<]+)</b>'
)


def _terms(page: str) -> set[str]:
    found = TERM.findall(page)
    assert all(target == place for target, _, place, _ in found)
    assert len({target for target, *_ in found}) == len(found)
    return {word for *_, word in found}


def test_pages_of_people_explain_their_words(live: Workspace) -> None:
    with visitor(live, Role.ADMIN, "*") as admin:
        admin.post("/keys", {"name": "app", "role": "app", "use_case": NAME, "requests_per_minute": "0"})
        assert {"role", "session", "key", "card", "card secret"} <= _terms(admin.get("/people").text)
        assert {"role", "session", "second factor"} <= _terms(admin.get("/me").text)
        assert "checkpoint" in _terms(admin.get("/audit-log").text)
        assert "case" not in _terms(admin.get(f"{HOME}/queue").text), "there is no case"


def test_pages_of_review_explain_their_words_and_a_blind_case_that_it_is_one(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n  four_eyes: [blind]\n  skills: {long_haul: distance_miles > 100000}\n")
    go_live(work)
    recorded(work, version=None)
    with visitor(work, Role.ADMIN, "*") as admin:
        assert "case" in _terms(admin.get(f"{HOME}/queue").text)
        (case,) = reviewing.queue(work, NAME)
        assert {"blind case", "opinion"} <= _terms(admin.get(f"/queue/cases/{case.id}").text)
        assert {"case", "skill"} <= _terms(admin.get(f"{HOME}/reviewers").text)
