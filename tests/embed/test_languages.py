"""What a card says in the language of its page: all of it, also its signals, numbers and reasons to choose from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from pilotage.review.languages import LANGUAGES
from tests.embed.conftest import Visit
from tests.embed.test_accessible import STATES
from tests.embed.test_card import flight, opened, wait_for_feedback
from tests.review.arranging import recorded

pytestmark = pytest.mark.browser
INPUTS: dict[str, Any] = {
    "carrier": "UA",
    "distance_miles": 1400.5,
    "aircraft_last_delay": None,
    "scheduled_departure": "2013-12-05T17:30:00",
}
SIGNALS: tuple[dict[str, Any], ...] = (
    {"column": "distance_miles", "value": "1,400", "weight": 1.3, "points": 0.2, "typical": 12.5},
    {"column": "aircraft_last_delay", "value": "not known", "weight": -0.5, "points": -0.1},
    {"column": "carrier", "value": "UA", "weight": 0.2, "points": 0.1, "share": 0.125},
)
GERMAN = [
    "Spricht dafür: Distance miles: 1.400 (üblich: 12,5) – erhöht die Wahrscheinlichkeit",
    "Spricht dagegen: Last arrival of this aircraft, minutes late: nicht bekannt – senkt die Wahrscheinlichkeit",
    "Spricht dafür: Carrier: UA (12 % der Entscheidungen) – erhöht die Wahrscheinlichkeit",
]


def english_words() -> list[str]:
    """What stands between the blanks of the English table, where German says it otherwise."""
    english, german = LANGUAGES["en"], LANGUAGES["de"]
    pairs = [(told[key], other[key]) for told, other in _tables(english, german) for key in told]
    parts = [part.strip() for told, other in pairs if told != other for part in re.split(r"\{\w+\}", told)]
    return sorted({part for part in parts if re.search(r"\w", part)})


def _tables(english: Any, german: Any) -> list[tuple[dict[str, str], dict[str, str]]]:
    return [(english.card, german.card), (english.sentences, german.sentences)]


def test_german_has_a_word_of_its_own_for_every_english_one() -> None:
    pairs = [(told, other, key) for told, other in _tables(LANGUAGES["en"], LANGUAGES["de"]) for key in told]
    assert all(told.keys() == other.keys() for told, other, _ in pairs)
    assert [key for told, other, key in pairs if told[key] == other[key]] == []


@pytest.mark.parametrize("state", ["answer", "rule", "uncertain", "missing"])
def test_a_german_card_has_no_english_words_of_the_table(visit: Visit, state: str) -> None:
    entity = flight()
    signals = tuple({**each, "sentence": f"{each['column']}: not known — raises the chance"} for each in SIGNALS)
    changes = STATES[state] if state in {"rule", "missing"} else {**STATES[state], "signals": signals}
    recorded(visit.work, entity=entity, inputs=INPUTS, **changes)
    card = opened(visit, entity, lang="de-AT", more="action-button")
    card.get_by_role("button", name="Ich entscheide anders").click()
    card.get_by_role("button", name="Senden").click()
    expect(card.get_by_role("alert")).to_have_text("Bitte einen Grund angeben.")
    said = str(card.evaluate("card => card.shadowRoot.textContent"))

    assert [word for word in english_words() if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said)] == []
    if state in {"answer", "uncertain"}:
        assert card.get_by_role("listitem").all_text_contents() == GERMAN


def test_a_reason_is_chosen_in_the_readers_words_and_kept_in_those_of_the_use_case(visit: Visit) -> None:
    entity = flight()
    decision = recorded(visit.work, entity=entity)
    card = opened(visit, entity, lang="de")
    card.get_by_role("button", name="Ich entscheide anders").click()
    card.get_by_label("Warum?").select_option("Ausnahme vereinbart")
    card.get_by_role("button", name="Senden").click()

    expect(card.get_by_role("status")).to_have_text("Vermerkt: Sie entscheiden anders.")
    assert wait_for_feedback(visit, decision.id, "override").reason == "Exception agreed"


def test_english_signals_of_columns_that_the_file_has_no_more_stand_as_they_were_recorded(visit: Visit) -> None:
    entity = flight()
    recorded(visit.work, entity=entity)

    expect(opened(visit, entity).get_by_role("listitem").nth(1)).to_contain_text(
        "Wind at the origin blows at 31 miles per hour; 10 are typical."
    )
