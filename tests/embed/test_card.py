"""The card in a real browser, in a page of another origin under a strict policy, against the real API."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from pilotage.review import flow
from pilotage.review.records import Feedback
from tests.embed.conftest import Visit
from tests.review.arranging import NAME, recorded, reviewer

pytestmark = pytest.mark.browser
_numbers = itertools.count(1)
RULE: dict[str, Any] = {"produced_by": "rule", "reason": "too_slow", "probability": None, "band": None, "signals": ()}
SHADOW: dict[str, Any] = {**RULE, "stage": "shadow", "arm": "rule", "reason": "shadow"}


def flight() -> str:
    return f"UA{next(_numbers):04d}-2013-12-05"


def opened(visit: Visit, entity: str, **options: str) -> Locator:
    visit.page.goto(visit.host.address(entity, **options))
    return visit.page.locator("pilotage-card")


def said(visit: Visit, decision: str, kind: str) -> list[Feedback]:
    return [each for each in flow.feedback_on(visit.work, decision) if each.kind == kind]


def wait_for_feedback(visit: Visit, decision: str, kind: str) -> Feedback:
    for _ in range(100):
        if found := said(visit, decision, kind):
            return found[0]
        visit.page.wait_for_timeout(50)
    raise AssertionError(f"no {kind} arrived")


def test_an_answer_shows_chance_signals_and_action_without_breaking_the_hosts_policy(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = opened(visit, entity)

    expect(card.get_by_role("heading")).to_have_text(entity)
    expect(card).to_contain_text("In about 7 in 10 cases like this it arrives more than 30 minutes late.")
    expect(card.get_by_role("listitem")).to_have_count(3)
    expect(card.get_by_role("listitem").last).to_contain_text("Speaks against it: Carrier: UA — lowers the chance")
    expect(card).to_contain_text("Recommended")
    expect(card).to_contain_text("Prepare rebooking")
    assert visit.complaints == []
    assert all(url.startswith((visit.host.origin, visit.host.server)) for url in visit.requests)
    assert visit.page.context.cookies() == []


def test_the_rules_answer_says_why_the_model_did_not_answer(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity, **RULE)
    card = opened(visit, entity)

    expect(card).to_contain_text("The model did not answer in time, so today's rule answered.")
    expect(card.locator(".chip")).to_have_text("Today's rule")
    expect(card.locator(".tenths")).to_have_count(0)


def test_an_uncertain_case_says_that_a_person_is_looking(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity, review=True, band="uncertain", probability=0.27)
    card = opened(visit, entity)

    expect(card.locator(".chip")).to_have_text("Sent to a person")
    expect(card).to_contain_text("Until then")
    expect(card.get_by_role("button", name="Ask a person")).to_have_count(0)


def test_what_is_missing_is_said(visit: Visit) -> None:
    entity = flight()
    inputs = {"carrier": "UA", "aircraft_last_delay": None}
    changes = {**RULE, "produced_by": "default", "reason": "missing_columns", "rule_answer": None, "answer": False}
    recorded(visit.work, entity=entity, inputs=inputs, **changes)

    sentence = "Cannot say: “last arrival of this aircraft, minutes late” is missing."
    expect(opened(visit, entity)).to_contain_text(sentence)


@pytest.mark.parametrize("more", ["", "show-status"])
def test_in_shadow_the_page_is_as_if_there_were_no_card(visit: Visit, more: str) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity, **SHADOW)
    card = opened(visit, entity, more=more)
    visit.page.wait_for_load_state("networkidle")
    visit.page.wait_for_timeout(1300)

    assert visit.page.evaluate("document.querySelector('pilotage-card').shadowRoot.childNodes.length") == 0
    assert visit.page.evaluate("document.querySelector('pilotage-card').getClientRects().length") == 0
    with_card = visit.page.locator("#below").bounding_box()
    card.evaluate("card => card.remove()")
    assert visit.page.locator("#below").bounding_box() == with_card
    assert said(visit, decision.id, "shown") == []


def test_a_server_out_of_reach_leaves_no_trace_unless_the_host_asks_for_one(visit: Visit) -> None:
    nowhere = "http://127.0.0.1:9"
    card = opened(visit, flight(), server=nowhere)
    visit.page.wait_for_timeout(400)
    assert card.evaluate("card => card.getClientRects().length") == 0

    card = opened(visit, flight(), server=nowhere, more="show-status")
    expect(card.get_by_role("alert")).to_have_text("The prediction cannot be reached just now.")
    expect(card.get_by_role("button", name="Try again")).to_be_visible()


def test_another_site_may_not_show_the_card(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = opened(visit, entity, by="property", more="show-status")
    token = visit.host.mint(entity, origin="https://other.example")
    visit.page.evaluate("token => { document.querySelector('pilotage-card').token = token }", token)

    expect(card.get_by_role("alert")).to_have_text("This page may not show the prediction.")
    expect(card).not_to_contain_text(entity)


@pytest.mark.parametrize(
    ("kind", "button", "thanks"),
    [("useful", "Useful", "Thank you: noted as useful."), ("wrong", "Wrong", "Thank you: noted as wrong.")],
)
def test_an_opinion_is_one_click_and_is_confirmed_aloud(visit: Visit, kind: str, button: str, thanks: str) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    card.get_by_role("button", name=button).click()

    expect(card.get_by_role("status")).to_have_text(thanks)
    assert wait_for_feedback(visit, decision.id, kind).person == "maria"


def test_an_override_needs_a_reason_and_carries_it(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    card.get_by_role("button", name="I do otherwise").click()
    expect(card.get_by_label("Why?")).to_be_focused()
    card.get_by_role("button", name="Send").click()
    expect(card.get_by_role("alert")).to_have_text("Please say why.")
    expect(card.get_by_label("Why?")).to_have_attribute("aria-invalid", "true")
    assert said(visit, decision.id, "override") == []

    card.get_by_label("Why?").select_option("Exception agreed")
    card.get_by_label("In your own words").fill("Crew waits <b>on purpose</b>")
    card.get_by_role("button", name="Send").click()

    expect(card.get_by_role("status")).to_have_text("Noted: you do otherwise.")
    given = wait_for_feedback(visit, decision.id, "override")
    assert given.reason == "Exception agreed: Crew waits <b>on purpose</b>"
    expect(card.locator("form")).to_have_count(0)


def test_another_reason_needs_words(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    card.get_by_role("button", name="I do otherwise").click()
    card.get_by_label("Why?").select_option("Another reason")
    card.get_by_role("button", name="Send").click()

    expect(card.get_by_label("In your own words")).to_be_focused()
    expect(card.get_by_role("alert")).to_have_text("Please say why.")


def test_an_escalation_reaches_the_queue_and_the_verdict_reaches_the_card(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    card.get_by_role("button", name="Ask a person").click()
    card.get_by_label("What should they know?").fill("Tail was swapped")
    card.get_by_role("button", name="Send").click()
    expect(card.locator(".chip")).to_have_text("Sent to a person")
    expect(card.get_by_role("status")).to_have_text("Sent: a person will look at it.")

    (case,) = [each for each in flow.queue(visit.work, NAME) if each.decision == decision.id]
    assert case.note == "Tail was swapped"
    held = flow.lease(visit.work, case.id, reviewer("anna"))
    flow.submit(visit.work, case.id, held.fence, "corrected", False, "Other aircraft", reviewer("anna"))
    card.evaluate("card => card.refresh()")

    expect(card).to_contain_text("A reviewer changed this answer.")
    expect(card).to_contain_text("Leave as planned")


def test_the_keyboard_reaches_everything_and_escape_gives_the_focus_back(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    expect(card.get_by_role("button", name="Useful")).to_be_visible()
    for name in ("Useful", "Wrong", "I do otherwise"):
        visit.page.keyboard.press("Tab")
        expect(card.get_by_role("button", name=name)).to_be_focused()
    assert (
        card.get_by_role("button", name="I do otherwise").evaluate("b => getComputedStyle(b).outlineStyle") == "solid"
    )

    visit.page.keyboard.press("Enter")
    expect(card.get_by_label("Why?")).to_be_focused()
    visit.page.keyboard.press("Escape")

    expect(card.locator("form")).to_have_count(0)
    expect(card.get_by_role("button", name="I do otherwise")).to_be_focused()


def test_data_is_never_taken_for_html(visit: Visit) -> None:
    entity = flight()
    evil = {"column": "x", "value": "1", "weight": 1.0, "sentence": "<img src=x onerror=window.hacked=1>"}
    recorded(visit.work, entity=entity, signals=(evil,))
    card = opened(visit, entity)

    expect(card.get_by_role("listitem")).to_contain_text("<img src=x onerror=window.hacked=1>")
    assert visit.page.evaluate("window.hacked") is None


def test_what_could_not_be_sent_is_said_and_may_be_tried_again(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    expect(card.get_by_role("button", name="Useful")).to_be_visible()
    visit.page.route("**/v1/card/feedback", lambda route: route.abort())
    card.get_by_role("button", name="Useful").click()
    expect(card.get_by_role("status")).to_have_text("That could not be sent. Please try again.")

    visit.page.unroute("**/v1/card/feedback")
    card.get_by_role("button", name="Useful").click()
    expect(card.get_by_role("status")).to_have_text("Thank you: noted as useful.")


def test_the_recommended_action_can_be_a_button_that_tells_the_host(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity, more="action-button")
    expect(card.get_by_role("button", name="Prepare rebooking")).to_be_visible()
    card.evaluate("card => card.addEventListener('pilotage-action', event => { window.told = event.detail })")
    card.get_by_role("button", name="Prepare rebooking").click()

    assert visit.page.evaluate("window.told") == {
        "action": "Prepare rebooking",
        "answer": True,
        "decision": decision.id,
    }
    expect(card.get_by_role("status")).to_have_text("Noted: accepted.")
    assert wait_for_feedback(visit, decision.id, "accept").person == "maria"
    card.get_by_role("button", name="Undo").click()
    expect(card.get_by_role("status")).to_have_text("Taken back.")
    assert wait_for_feedback(visit, decision.id, "accept").undone_at is not None


@pytest.mark.parametrize(("actions", "sent"), [(["useful"], ["useful"]), (["useful", "accept"], ["accept", "useful"])])
def test_the_action_is_the_hosts_also_where_the_token_or_the_network_lets_nothing_be_noted(
    visit: Visit, actions: list[str], sent: list[str]
) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    kinds: list[str] = []
    visit.page.route(
        "**/v1/card/feedback", lambda route: (kinds.append(route.request.post_data_json["kind"]), route.abort())
    )
    card = opened(visit, entity, more="action-button", by="property")
    card.evaluate("card => card.addEventListener('pilotage-action', () => { card.dataset.told = 'yes' })")
    card.evaluate("(card, token) => { card.token = token }", visit.host.mint(entity, actions=actions))
    card.get_by_role("button", name="Prepare rebooking").click()
    expect(card).to_have_attribute("data-told", "yes")
    expect(card.get_by_role("button", name="Useful")).to_be_enabled()
    expect(card.get_by_role("status")).to_be_empty()
    card.get_by_role("button", name="Useful").click()

    expect(card.get_by_role("status")).to_have_text("That could not be sent. Please try again.")
    assert [kind for kind in kinds if kind != "shown"] == sent


def test_another_token_address_drops_the_old_content_at_once(visit: Visit) -> None:
    first, second = flight(), flight()
    recorded(visit.work, entity=first)
    recorded(visit.work, entity=second, **RULE)
    card = opened(visit, first)
    expect(card).to_contain_text(first)
    gone = card.evaluate(
        "(card, url) => { card.setAttribute('token-url', url); return card.shadowRoot.childNodes.length }",
        f"/token?entity={second}",
    )

    assert gone == 0
    expect(card.get_by_role("heading")).to_have_text(second)


@pytest.mark.parametrize("width", [280, 360, 800])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_nothing_runs_out_of_the_card_at_any_width(visit: Visit, width: int, direction: str) -> None:
    entity = f"{flight()}-Donaudampfschifffahrtsgesellschaftskapitaenspatentpruefungsverfahrensnummer"
    recorded(visit.work, entity=entity)
    visit.page.set_viewport_size({"width": width, "height": 900})
    card = opened(visit, entity, lang="de", dir=direction)
    card.get_by_role("button", name="Ich entscheide anders").click()

    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert visit.page.evaluate(sideways) == 0
    assert card.locator("section").evaluate("s => s.scrollWidth <= s.clientWidth")
