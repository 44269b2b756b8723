"""What was done on the card is taken back on the card, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pilotage.govern.records import SYSTEM
from pilotage.review import flow
from pilotage.usecase import flow as defining
from tests.embed.conftest import Visit
from tests.embed.test_card import flight, opened, said, wait_for_feedback
from tests.review.arranging import FILE, NAME, adopt, recorded

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("lang", "button", "undo", "done"),
    [("en", "Wrong", "Undo", "Taken back."), ("de", "Falsch", "Rückgängig", "Zurückgenommen.")],
)
def test_one_press_takes_an_opinion_back(visit: Visit, lang: str, button: str, undo: str, done: str) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity, lang=lang)
    card.evaluate("card => card.addEventListener('pilotage-undone', event => { window.undone = event.detail })")
    card.get_by_role("button", name=button).click()
    card.get_by_role("button", name=undo).click()

    expect(card.get_by_role("status")).to_have_text(done)
    expect(card.get_by_role("button", name=undo)).to_have_count(0)
    (given,) = said(visit, decision.id, "wrong")
    assert given.undone_at is not None
    assert visit.page.evaluate("window.undone") == {"kind": "wrong", "decision": decision.id}
    assert visit.complaints == []


def test_a_taken_back_escalation_closes_its_case_and_the_card_is_as_before(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    card.get_by_role("button", name="Ask a person").click()
    card.get_by_label("What should they know?").fill("Pressed by mistake")
    card.get_by_role("button", name="Send").click()
    expect(card.locator(".chip")).to_have_text("Sent to a person")
    visit.page.keyboard.press("Tab")
    expect(card.get_by_role("button", name="Undo")).to_be_focused()
    visit.page.keyboard.press("Enter")

    expect(card.locator(".chip")).to_have_text("Worth acting")
    expect(card.get_by_role("status")).to_have_text("Taken back.")
    expect(card.get_by_role("button", name="Ask a person")).to_be_visible()
    assert [each for each in flow.queue(visit.work, NAME) if each.decision == decision.id] == []


def test_the_offer_ends_with_its_time_and_where_the_file_says_none_there_is_none(visit: Visit) -> None:
    try:
        for seconds, offered in ((1, 1), (0, 0)):
            text = FILE.replace("review:\n", f"review:\n  undo_seconds: {seconds}\n")
            defining.adopt(visit.work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
            entity = flight()
            decision = recorded(visit.work, entity=entity)
            card = opened(visit, entity)
            card.get_by_role("button", name="Useful").click()
            expect(card.get_by_role("status")).to_have_text("Thank you: noted as useful.")
            wait_for_feedback(visit, decision.id, "useful")
            assert card.get_by_role("button", name="Undo").count() == offered
            expect(card.get_by_role("button", name="Undo")).to_have_count(0, timeout=3_000)
    finally:
        adopt(visit.work)


def test_a_press_that_comes_too_late_is_told_so(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    card.get_by_role("button", name="Useful").click()
    given = wait_for_feedback(visit, decision.id, "useful")
    expect(card.get_by_role("button", name="Undo")).to_be_visible()
    headers = {"Authorization": f"Bearer {visit.host.mint(entity)}", "Origin": visit.host.origin}
    reply = visit.page.request.post(
        f"{visit.host.server}/v1/card/feedback/undo", data={"feedback": given.id}, headers=headers
    )
    assert reply.status == 200
    card.get_by_role("button", name="Undo").click()

    expect(card.get_by_role("status")).to_have_text("That is not possible any more.")


def test_feedback_is_about_the_decision_that_was_shown_though_the_token_is_for_a_newer_one(visit: Visit) -> None:
    entity = flight()
    shown = recorded(visit.work, entity=entity)
    card = opened(visit, entity)
    expect(card.get_by_role("button", name="Useful")).to_be_visible()
    newer = recorded(visit.work, entity=entity)
    token = visit.host.mint(entity)
    visit.page.route("**/v1/card", lambda route: route.abort())
    card.evaluate("(card, token) => { card.token = token }", token)
    card.get_by_role("button", name="Useful").click()

    wait_for_feedback(visit, shown.id, "useful")
    assert said(visit, newer.id, "useful") == []
