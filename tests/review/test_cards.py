"""The card's five faces, from a table; and what never leaves the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pilotage.releases.records import Stage
from pilotage.review.records import Card, Case
from pilotage.review.rules import words
from pilotage.review.rules.cards import NOTHING, Situation, card_of, state_of
from pilotage.review.rules.cases import new_case
from pilotage.review.rules.feedback import ACTIONS
from pilotage.review.rules.picking import picker
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.review.arranging import FILE, a_decision
from tests.review.arranging import of_kind as other_kind

AT = datetime(2013, 12, 5, 20, tzinfo=UTC)
DEFINITION = parse_definition(FILE, "late_arrival.yaml")
USE_CASE = DEFINITION.use_case
RULE: dict[str, Any] = {"produced_by": "rule", "probability": None, "band": None, "signals": ()}
DEFAULT = {**RULE, "produced_by": "default", "reason": "missing_columns", "answer": False, "rule_answer": None}


def case(state: str, positive: bool | None = None) -> Case:
    fresh = new_case("case_1", a_decision(AT), "uncertain", "", AT, picker(DEFINITION))
    return msgspec.structs.replace(fresh, state=state, verdict_answer=positive)


def situation(**changes: Any) -> Situation:
    return msgspec.structs.replace(Situation(None, Stage.ASSIST, True), **changes)


@pytest.mark.parametrize(
    ("changes", "now", "expected"),
    [
        ({}, {}, "answer"),
        ({"stage": "automate"}, {"stage": Stage.AUTOMATE}, "answer"),
        ({"review": True}, {}, "uncertain"),
        ({}, {"case": case("open")}, "uncertain"),
        ({}, {"case": case("leased")}, "uncertain"),
        ({"review": True}, {"case": case("approved", True)}, "answer"),
        ({"review": True}, {"case": case("corrected", False)}, "answer"),
        ({"review": True}, {"case": case("rejected")}, "missing"),
        ({**RULE, "reason": "too_slow"}, {}, "rule"),
        ({**RULE, "reason": "model_failed"}, {}, "rule"),
        ({**RULE, "reason": "not_finite"}, {}, "rule"),
        ({**RULE, "reason": "disabled"}, {"enabled": False}, "rule"),
        ({**RULE, "reason": "not_recorded"}, {}, "rule"),
        ({}, {"enabled": False}, "rule"),
        ({"rule_answer": None}, {"enabled": False}, "missing"),
        (DEFAULT, {}, "missing"),
        ({"stage": "shadow", "arm": "rule", **RULE, "reason": "shadow"}, {"stage": Stage.SHADOW}, "nothing"),
        ({"stage": "off", "arm": "rule", **RULE, "reason": "off"}, {"stage": Stage.OFF}, "nothing"),
        ({**RULE, "arm": "rule", "reason": "rule_arm"}, {}, "nothing"),
        ({**DEFAULT, "arm": "rule"}, {}, "nothing"),
        ({**RULE, "reason": "no_version"}, {}, "nothing"),
        ({"stage": "shadow"}, {}, "nothing"),
        ({}, {"stage": Stage.SHADOW}, "nothing"),
        ({}, {"stage": Stage.OFF}, "nothing"),
        ({}, {"stage": Stage.SHADOW, "case": case("approved", True)}, "nothing"),
    ],
)
def test_every_situation_has_one_face(changes: dict[str, Any], now: dict[str, Any], expected: str) -> None:
    assert state_of(a_decision(AT, **changes), situation(**now)) == expected


def shown(changes: dict[str, Any] | None = None, language: Any = "en", **now: Any) -> Card:
    return card_of(a_decision(AT, **{"id": "dec_1", **(changes or {})}), situation(**now), USE_CASE, ACTIONS, language)


def test_an_answer_says_the_chance_in_words_the_signals_and_the_action() -> None:
    card = shown()

    assert card.words == "In about 7 in 10 cases like this it arrives more than 30 minutes late."
    assert (card.tenths, card.band, card.band_words, card.action) == (7, "high", "Worth acting", "Prepare rebooking")
    assert [signal.direction for signal in card.signals] == ["raises", "raises", "lowers"]
    assert card.actions == ("useful", "wrong", "override", "escalate", "accept")


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.OFF])
def test_where_nothing_may_be_shown_nothing_of_the_model_is_in_the_json(stage: Stage) -> None:
    card = shown({"stage": "shadow", "arm": "rule"}, stage=stage)

    assert card == NOTHING
    assert msgspec.json.encode(card) == b'{"state":"nothing"}'


def test_the_share_that_keeps_the_rule_gets_the_same_empty_card() -> None:
    assert shown({"arm": "rule", "reason": "rule_arm", **RULE}) == NOTHING


def test_the_rules_answer_says_plainly_why_and_shows_no_probability() -> None:
    card = shown({"produced_by": "rule", "reason": "too_slow"})

    assert card.because == "The model did not answer in time, so today's rule answered."
    assert card.words.startswith("Today's rule says yes: the last arrival")
    assert (card.probability, card.tenths, card.band, card.signals) == (None, None, "", ())


def test_a_model_switched_off_since_gives_way_to_the_rule() -> None:
    card = shown({"rule_answer": False}, enabled=False)

    assert (card.state, card.action, card.probability) == ("rule", "Leave as planned", None)
    assert "switched off by an authorised person" in card.because


def test_what_is_missing_is_named() -> None:
    card = shown(DEFAULT, missing=("tail number", "wind"))

    assert card.words == "Cannot say: “tail number” and “wind” are missing."
    assert card.action == "Leave as planned"


def test_a_correction_by_a_reviewer_replaces_the_answer() -> None:
    card = shown({"review": True}, case=case("corrected", False))

    assert (card.action, card.note) == ("Leave as planned", "A reviewer changed this answer.")


def test_a_case_that_cannot_be_decided_says_so() -> None:
    assert "cannot be decided" in shown(case=case("rejected")).words


def test_the_card_offers_only_what_its_token_grants() -> None:
    card = card_of(a_decision(AT, review=True), situation(), USE_CASE, ("wrong", "escalate"), "en")

    assert card.actions == ("wrong",)


def test_the_version_changes_with_the_content_only() -> None:
    assert shown().version == shown().version
    assert shown().version != shown({"answer": False}).version


def test_german_readers_get_german_sentences() -> None:
    said = "In etwa 7 von 10 solchen Fällen trifft zu: arrives more than 30 minutes late."
    assert shown(language="de").words == said


@pytest.mark.parametrize(
    ("probability", "start"),
    [
        (0.0, "In fewer than 1 in 20 cases"),
        (0.049, "In fewer than 1 in 20 cases"),
        (0.05, "In about 1 in 10 cases"),
        (0.25, "In about 3 in 10 cases"),
        (0.5, "In about 5 in 10 cases"),
        (0.949, "In about 9 in 10 cases"),
        (0.951, "In more than 19 in 20 cases"),
        (1.0, "In more than 19 in 20 cases"),
    ],
)
def test_a_probability_is_said_as_people_say_it(probability: float, start: str) -> None:
    assert words.chance(probability, "late", "en").startswith(start)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("fr,de;q=0.5", "de"), ("en-GB", "en"), ("", "en"), ("fr", "en")],
)
def test_the_language_follows_the_reader(accepted: str, language: str) -> None:
    assert words.language_of(accepted) == language


def test_a_sample_that_nobody_looked_at_changes_nothing_and_what_waited_falls_back_to_the_rule() -> None:
    sample = msgspec.structs.replace(case("lapsed", False), why="random")

    assert (of_kind(parse_definition(FILE, "late_arrival.yaml"), {"rule_answer": False}, case=sample).state) == "answer"
    fallen = of_kind(parse_definition(FILE, "late_arrival.yaml"), {"rule_answer": False}, case=case("lapsed", False))
    assert (fallen.state, fallen.because) == ("rule", "Nobody could look at this case in time, so today's rule holds.")
    assert fallen.action == "Leave as planned"


CATEGORY = {"probability": None, "band": None, "answer": "sci.space", "model_answer": "sci.space", "confidence": 0.68}
NUMBER = {**CATEGORY, "answer": 12.345, "model_answer": 12.345, "rule_answer": 7.0, "confidence": None, "low": -5.0}
NUMBER["high"] = 40.0


def of_kind(definition: Definition, changes: dict[str, Any], language: Any = "en", **now: Any) -> Card:
    return card_of(a_decision(AT, **changes), situation(**now), definition.use_case, ACTIONS, language)


def test_a_category_is_told_with_its_chance_and_its_action() -> None:
    card = of_kind(other_kind("category"), {**CATEGORY, "rule_answer": "late"})

    assert card.words == "In about 7 in 10 cases like this it is sci.space."
    assert (card.tenths, card.probability, card.band, card.action) == (7, 0.68, "", "Answer: sci.space")


def test_a_number_is_told_with_its_interval_and_unit() -> None:
    card = of_kind(other_kind("number"), NUMBER)

    assert card.words == "About 12.3 minutes; in 9 of 10 cases like this between −5 minutes and 40 minutes."
    assert (card.tenths, card.probability, card.action) == (None, None, "Answer: 12.3 minutes")
    assert of_kind(other_kind("number"), NUMBER, "de").action == "Antwort: 12,3 minutes"
    assert of_kind(other_kind("number"), NUMBER, "de").words.startswith("Etwa 12,3 minutes; in 9 von 10 solchen Fällen")


def test_where_the_rule_answers_the_card_says_what_it_says() -> None:
    card = of_kind(other_kind("number"), {**NUMBER, "produced_by": "rule", "reason": "too_slow"})

    assert card.words.startswith("Today's rule says 7 minutes: the last arrival")
    assert card.signals == ()


def test_a_reviewers_number_replaces_the_answer() -> None:
    decided = msgspec.structs.replace(case("corrected"), verdict_answer=-2.0)

    assert of_kind(other_kind("number"), NUMBER, case=decided).action == "Answer: −2 minutes"
