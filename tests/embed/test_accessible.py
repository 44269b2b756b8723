"""The card for everybody: axe-core in each state, zoomed, with large text, in forced colours, without motion."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.embed.conftest import Visit
from tests.embed.test_card import RULE, SHADOW, flight, opened
from tests.every_page import faults
from tests.review.arranging import recorded

pytestmark = pytest.mark.browser
LONG = "Donaudampfschifffahrtsgesellschaftskapitaenspatentpruefungsverfahrensnummer"
MISSING: dict[str, Any] = {**RULE, "produced_by": "default", "reason": "missing_columns", "rule_answer": None}
STATES: dict[str, dict[str, Any]] = {
    "answer": {},
    "rule": RULE,
    "uncertain": {"review": True, "band": "uncertain", "probability": 0.27},
    "missing": {**MISSING, "answer": False},
    "nothing": SHADOW,
}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def in_state(visit: Visit, state: str, **options: str) -> Locator:
    """The card in this state; of *nothing* the page as soon as it is quiet."""
    entity = flight()
    recorded(visit.work, entity=entity, **STATES[state])
    card = opened(visit, entity, **options)
    if state == "nothing":
        visit.page.wait_for_load_state("networkidle")
    else:
        expect(card.get_by_role("heading")).to_have_text(entity)
    return card


def look(card: Locator, name: str) -> str:
    """What the browser made of one property of the card's frame."""
    return str(card.locator("section").evaluate("(frame, name) => getComputedStyle(frame)[name]", name))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_serious_is_wrong_with_the_card(visit: Visit, state: str, scheme: str) -> None:
    card = in_state(visit, state, scheme=scheme, more="action-button")
    assert faults(visit.page) == []
    override = card.get_by_role("button", name="I do otherwise")
    if override.count():
        override.click()
        card.get_by_role("button", name="Send").click()
        assert faults(visit.page) == []
        card.get_by_role("button", name="Cancel").click()
    useful = card.get_by_role("button", name="Useful")
    if useful.count():
        useful.click()
        expect(card.get_by_role("button", name="Undo")).to_be_visible()
        assert faults(visit.page) == []


@pytest.mark.parametrize("state", ["answer", "rule", "uncertain", "missing"])
def test_no_state_runs_out_of_280_pixels_nor_with_text_of_twice_the_size(visit: Visit, state: str) -> None:
    visit.page.set_viewport_size({"width": 280, "height": 900})
    card = in_state(visit, state)
    assert visit.page.evaluate(SIDEWAYS) == 0
    visit.page.set_viewport_size({"width": 560, "height": 900})
    visit.page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert visit.page.evaluate(SIDEWAYS) == 0
    assert card.locator("section").evaluate("s => s.scrollWidth <= s.clientWidth")


def test_long_words_from_the_app_and_right_to_left_at_twice_the_zoom(visit: Visit) -> None:
    entity = f"{flight()}-{LONG}"
    recorded(visit.work, entity=entity, action=LONG)
    visit.page.set_viewport_size({"width": 320, "height": 450})
    card = opened(visit, entity, dir="rtl", more="action-button")
    expect(card.get_by_role("heading")).to_have_text(entity)

    assert visit.page.evaluate(SIDEWAYS) == 0
    border = card.locator("section").evaluate(
        "s => [getComputedStyle(s).borderRightWidth, getComputedStyle(s).borderLeftWidth]"
    )
    assert border == ["4px", "1px"]


def test_nothing_moves_for_those_who_want_no_motion(visit: Visit) -> None:
    entity = flight()
    visit.page.route("**/v1/card", lambda route: None)
    for wish, animated in (("no-preference", "pulse"), ("reduce", "none")):
        visit.page.emulate_media(reduced_motion=wish)  # type: ignore[arg-type]
        card = opened(visit, entity, by="property", more="show-status")
        card.evaluate("card => { card.token = 'e30.e30.x' }")
        expect(card.locator(".pulse").first).to_be_visible()
        assert card.locator(".pulse").first.evaluate("p => getComputedStyle(p).animationName") == animated


def test_in_forced_colours_the_tenths_and_signals_can_still_be_told(visit: Visit) -> None:
    visit.page.emulate_media(forced_colors="active")
    card = in_state(visit, "answer")
    on, off = (
        card.locator(f".tenths i{which}").first.evaluate("i => getComputedStyle(i).backgroundColor")
        for which in (".on", ":not(.on)")
    )

    assert on != off
    assert card.get_by_role("button", name="Useful").evaluate("b => getComputedStyle(b).borderStyle") == "solid"


def test_the_host_sets_colours_and_shape_by_variables(visit: Visit) -> None:
    card = in_state(visit, "answer")
    card.evaluate("card => { card.style.setProperty('--pilotage-surface', 'rgb(1, 2, 3)') }")
    card.evaluate("card => { card.style.setProperty('--pilotage-radius', '0px') }")

    found = card.locator("section").evaluate(
        "s => [getComputedStyle(s).backgroundColor, getComputedStyle(s).borderRadius]"
    )
    assert found == ["rgb(1, 2, 3)", "0px"]


def test_every_state_and_all_that_people_do_there_fit_a_hostile_policy_and_ask_nobody_else(visit: Visit) -> None:
    for state in STATES:
        card = in_state(visit, state, more="action-button show-status")
        for button, reason in (("I do otherwise", "In your own words"), ("Ask a person", "What should they know?")):
            if state == "nothing" or not card.get_by_role("button", name=button).count():
                continue
            card.get_by_role("button", name=button).click()
            card.get_by_role("button", name="Send").click()
            expect(card.get_by_role("alert")).to_have_text("Please say why.")
            card.get_by_label(reason).fill("Tail was swapped")
            card.get_by_role("button", name="Send").click()
            card.get_by_role("button", name="Undo").click()
            expect(card.get_by_role("status")).to_have_text("Taken back.")
    sent = [url for url in visit.requests if url.endswith("/v1/card/feedback/undo")]
    blocked = [each for each in visit.complaints if "Content Security Policy" in each or "TrustedScript" in each]

    assert len(sent) == 7
    assert blocked == visit.complaints == []
    assert all(url.startswith((visit.host.origin, visit.host.server)) for url in visit.requests)
