"""An answer of any kind: what is done on it, and how people read it and what it stood on."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from tests.review.arranging import FILE, a_decision, of_kind

from pilotage.decisions.kinds import action_of, default_of, said, told
from pilotage.decisions.records import Said
from pilotage.decisions.rules import TEXT_SHOWN_MAX, inputs_in_words
from pilotage.govern.rules.masking import HIDDEN
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Given, OutcomeKind, Plan, RequestColumn

NOW = datetime(2013, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(("answer", "action"), [(True, "Prepare rebooking"), (False, "Leave as planned")])
def test_yes_and_no_have_an_action_each(answer: bool, action: str) -> None:
    assert action_of(parse_definition(FILE, "file.yaml").use_case, answer) == action


@pytest.mark.parametrize(("answer", "action"), [("late", "Call the crew"), ("early", "Answer: early")])
def test_a_category_without_an_action_is_told_as_the_answer(answer: str, action: str) -> None:
    assert action_of(of_kind("category").use_case, answer) == action


def test_a_number_is_told_with_its_unit_or_parted_by_the_threshold() -> None:
    assert action_of(of_kind("number").use_case, 12.345) == "Answer: 12.3 minutes"
    parted = of_kind("number", "actions: {above: Hold, below: Go}\n  threshold: 30").use_case
    assert [action_of(parted, answer) for answer in (29.9, 30.0, 31.0)] == ["Go", "Hold", "Hold"]
    assert told(parted, -5.0) == "−5 minutes"


def test_the_declared_default_is_of_the_outcomes_kind() -> None:
    files = (parse_definition(FILE, "file.yaml"), of_kind("category"), of_kind("number"))
    defaults = [default_of(each.use_case) for each in files]
    assert defaults == [False, "late", 7.0]


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("flag", 1, True),
        ("flag", None, None),
        ("category", "late", "late"),
        ("category", "  ", None),
        ("category", 3.0, "3"),
        ("number", 4, 4.0),
        ("number", math.nan, None),
        ("number", math.inf, None),
    ],
)
def test_a_rule_says_what_a_training_set_would_have(kind: OutcomeKind, value: object, wanted: Said | None) -> None:
    assert said(kind, value) == wanted


TEXTS = Plan(
    entity="mail",
    moment="",
    request={
        "body": RequestColumn(kind="text"),
        "diary": RequestColumn(kind="text", personal=True),
        "name": RequestColumn(kind="category", personal=True),
        "age": RequestColumn(kind="number", personal=True),
    },
    columns=(Given("body", "text", True, "what they wrote"),),
    fingerprint="",
)


def test_of_a_text_people_see_the_beginning_and_of_what_is_personal_no_more_than_ends() -> None:
    inputs = {
        "body": f"write to jane.doe@example.org {'x' * 5000}",
        "diary": "Dear diary",
        "name": "Jane Doe",
        "age": 30.0,
    }
    shown = {
        name: value
        for name, _, value in inputs_in_words(TEXTS, a_decision(NOW, inputs=inputs), {"diary", "name", "age"})
    }
    body = str(shown["body"])
    assert len(body) <= TEXT_SHOWN_MAX and body.endswith("…") and "jane.doe@example.org" not in body
    assert (shown["diary"], shown["name"], shown["age"]) == (HIDDEN, "J… D…", HIDDEN)
