"""Where the card's token comes from, when the next one is fetched, and what becomes of what people did meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.embed.conftest import Visit
from tests.embed.test_card import RULE, flight, opened, said, wait_for_feedback
from tests.review.arranging import recorded

pytestmark = pytest.mark.browser
BROKEN = "e30.e30.broken"
SET = "(card, token) => { card.token = token }"
COUNT = """card => card.addEventListener('pilotage-token-expired', () => {
  card.dataset.asked = Number(card.dataset.asked ?? 0) + 1;
})"""


def given(visit: Visit, **changes: Any) -> tuple[str, str, Locator]:
    """A flight about which something was decided, the decision, and its card with a token by property."""
    entity = flight()
    decision = recorded(visit.work, entity=entity, **changes)
    card = opened(visit, entity, by="property", more="show-status")
    card.evaluate(COUNT)
    card.evaluate(SET, visit.host.mint(entity))
    expect(card.get_by_role("heading")).to_have_text(entity)
    return entity, decision.id, card


def refuse_once() -> Callable[[Route], None]:
    """Refuses the first opinion as the server does once a token is over; that it was shown is let through."""
    refusal: dict[str, Any] = {"status": 401, "headers": {"access-control-allow-origin": "*"}, "body": "{}"}
    left = [refusal]

    def answer(route: Route) -> None:
        if left and "useful" in (route.request.post_data or ""):
            route.fulfill(**left.pop())
        else:
            route.continue_()

    return answer


def test_no_token_is_ever_part_of_an_address(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    expect(opened(visit, entity)).to_contain_text("In about 7 in 10")

    assert not [url for url in visit.requests if "eyJ" in url]


def test_a_token_given_by_property_works_also_before_the_module_has_loaded(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = opened(visit, entity, by="property")
    visit.page.evaluate("token => { document.querySelector('pilotage-card').token = token }", visit.host.mint(entity))

    expect(card).to_contain_text("In about 7 in 10")
    assert visit.page.evaluate("document.querySelector('pilotage-card').token") == ""


def test_a_refused_token_is_renewed_once(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    visit.host.first_token = BROKEN

    expect(opened(visit, entity)).to_contain_text("In about 7 in 10")
    assert visit.host.tokens_given == 2


def test_the_next_token_is_fetched_twenty_seconds_before_this_one_ends_and_not_earlier(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    begun = datetime.now(UTC)
    visit.page.clock.install(time=begun)
    card = opened(visit, entity)
    expect(card).to_contain_text("In about 7 in 10")
    assert visit.host.tokens_given == 1
    visit.page.clock.pause_at(begun + timedelta(seconds=270))
    card.get_by_role("button", name="Useful").click()
    expect(card.get_by_role("status")).to_have_text("Thank you: noted as useful.")
    assert visit.host.tokens_given == 1

    visit.page.clock.pause_at(begun + timedelta(seconds=300))
    card.get_by_role("button", name="Wrong").click()
    expect(card.get_by_role("status")).to_have_text("Thank you: noted as wrong.")
    assert visit.host.tokens_given == 2
    assert wait_for_feedback(visit, decision.id, "wrong").person == "maria"
    assert visit.complaints == []


def test_a_token_without_renewal_asks_the_host_for_another_which_brings_the_card_back(visit: Visit) -> None:
    entity, _, card = given(visit)
    card.evaluate(SET, BROKEN)

    expect(card.get_by_role("alert")).to_have_text("This card has expired. Reload the page.")
    expect(card).to_have_attribute("data-asked", "1")
    card.evaluate(SET, visit.host.mint(entity))
    expect(card).to_contain_text("In about 7 in 10")
    expect(card.get_by_role("alert")).to_have_count(0)


def test_what_was_said_with_a_token_that_is_over_is_sent_with_the_hosts_next_one(visit: Visit) -> None:
    entity, decision, card = given(visit, **RULE)
    visit.page.route("**/v1/card/feedback", refuse_once())
    card.get_by_role("button", name="Useful").click()
    expect(card).to_have_attribute("data-asked", "1")
    expect(card.get_by_role("button", name="Useful")).to_be_disabled()
    assert said(visit, decision, "useful") == []
    card.evaluate(SET, visit.host.mint(entity))

    expect(card.get_by_role("status")).to_have_text("Thank you: noted as useful.")
    assert len(said(visit, decision, "useful")) == 1
    expect(card).to_have_attribute("data-asked", "1")


def test_where_the_host_gives_no_other_token_it_is_said_after_ten_seconds(visit: Visit) -> None:
    begun = datetime.now(UTC)
    visit.page.clock.install(time=begun)
    _, decision, card = given(visit)
    visit.page.clock.pause_at(begun + timedelta(seconds=60))
    visit.page.route("**/v1/card/feedback", refuse_once())
    card.get_by_role("button", name="Useful").click()
    expect(card).to_have_attribute("data-asked", "1")
    visit.page.clock.run_for(9_900)
    expect(card.get_by_role("button", name="Useful")).to_be_disabled()

    visit.page.clock.run_for(100)
    expect(card.get_by_role("status")).to_have_text("That could not be sent. Please try again.")
    expect(card.get_by_role("button", name="Useful")).to_be_enabled()
    assert said(visit, decision, "useful") == []
