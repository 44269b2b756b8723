"""*Shown* is what somebody could see: half of the card, or half a screen of it, for a second, in a tab in front.

The page's clock stands still and is moved by hand, so that no machine is too slow for these sentences.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from tests.embed.conftest import Visit
from tests.embed.test_card import flight, opened, said, wait_for_feedback
from tests.review.arranging import recorded

pytestmark = pytest.mark.browser
REMEMBER_WHAT_IS_SENT = """
const real = window.fetch; window.sent = [];
window.fetch = (where, how) => { if (how?.body) sent.push(JSON.parse(how.body).kind); return real(where, how); };
"""
SCROLL = """async (card, share) => {
  const looked = done => new IntersectionObserver((_, watcher) => { watcher.disconnect(); done(); }).observe(card);
  document.body.style.padding = '2000px 0';
  const box = card.getBoundingClientRect();
  window.scrollTo(0, window.scrollY + box.top + box.height * share - innerHeight);
  await new Promise(looked); await new Promise(looked);
}"""
"""So much of the card at the lower edge of the window; done when the browser has looked what is in sight."""
IN_FRONT = """(card, state) => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def standing(visit: Visit, entity: str) -> Locator:
    """The card far below the window, on a page whose clock stands still."""
    visit.page.clock.install()
    visit.page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    visit.page.add_init_script(REMEMBER_WHAT_IS_SENT)
    card = opened(visit, entity)
    expect(card).to_contain_text("In about 7 in 10")
    card.evaluate(SCROLL, -1)
    return card


def sent_after(visit: Visit, milliseconds: int) -> list[str]:
    """What the card has sent once so much time has passed on its page."""
    visit.page.clock.run_for(milliseconds)
    return list(visit.page.evaluate("sent"))


def test_shown_is_said_once_when_half_of_the_card_was_in_sight_for_a_second(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = standing(visit, entity)
    assert sent_after(visit, 60_000) == []
    card.evaluate(SCROLL, 0.4)
    assert sent_after(visit, 60_000) == []
    card.evaluate(SCROLL, 0.6)
    assert sent_after(visit, 990) == []
    assert sent_after(visit, 10) == ["shown"]
    wait_for_feedback(visit, decision.id, "shown")

    card.evaluate("card => card.refresh()")
    card.evaluate(SCROLL, 1)
    assert sent_after(visit, 60_000) == ["shown"]


def test_who_scrolls_on_within_the_second_has_not_seen_it_and_moving_on_the_spot_counts_on(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = standing(visit, entity)
    card.evaluate(SCROLL, 0.9)
    assert sent_after(visit, 990) == []
    card.evaluate(SCROLL, 0.3)
    assert sent_after(visit, 60_000) == []

    card.evaluate(SCROLL, 0.7)
    assert sent_after(visit, 600) == []
    card.evaluate(SCROLL, 1)
    assert sent_after(visit, 400) == ["shown"]


def test_a_tab_in_the_background_shows_nothing_and_its_second_begins_when_it_is_in_front(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)
    card = standing(visit, entity)
    card.evaluate(SCROLL, 1)
    assert sent_after(visit, 900) == []
    card.evaluate(IN_FRONT, "hidden")
    assert sent_after(visit, 60_000) == []

    card.evaluate(IN_FRONT, "visible")
    card.evaluate(SCROLL, 1)
    assert sent_after(visit, 990) == []
    assert sent_after(visit, 10) == ["shown"]


def test_of_a_card_taller_than_two_screens_half_a_screen_is_enough(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = standing(visit, entity)
    tall = float(card.evaluate("card => card.getBoundingClientRect().height"))
    visit.page.set_viewport_size({"width": 480, "height": round(tall / 4)})
    card.evaluate(SCROLL, 0.08)
    assert sent_after(visit, 60_000) == []

    card.evaluate(SCROLL, 0.16)
    assert sent_after(visit, 1_000) == ["shown"]
    wait_for_feedback(visit, decision.id, "shown")
    assert len(said(visit, decision.id, "shown")) == 1
