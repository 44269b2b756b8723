"""Corrections in a real browser: few keys for every kind of answer, and Enter that never approves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Case, Filter
from pilotage.usecase import flow as defining
from tests.review.arranging import FILE, NAME, go_live, of_kind, recorded
from tests.review.serving import seated

pytestmark = pytest.mark.browser
SEVERAL = {"late": 0.5, "crew": 0.3, "weather": 0.2}
MANY = {f"cause {letter}": 0.1 for letter in "abcdefghijk"}
ANSWERS: dict[str, dict[str, Any]] = {
    "flag": {},
    "number": {"answer": 12.0, "model_answer": 12.0, "rule_answer": 7.0, "low": 6.0, "high": 18.0},
    "category": {"answer": "late", "model_answer": "late", "rule_answer": "crew", "shares": SEVERAL},
    "of many": {"answer": "late", "model_answer": "late", "rule_answer": "late", "shares": MANY},
}


@contextmanager
def judging(work: Workspace, browser: Browser, kind: str, blind: bool = False, script: bool = True) -> Iterator[Page]:
    """Anna in front of the only case."""
    definition = of_kind("category" if kind == "of many" else kind) if kind != "flag" else None
    text = definition.text if definition else FILE
    if blind:
        text = text.replace("  deadline: 1 hour\n", "  deadline: 1 hour\n  samples: {blind: 1}\n")
    defining.adopt(work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
    go_live(work)
    unlike = {} if kind == "flag" else {"probability": None, "band": None}
    recorded(work, **{**unlike, **ANSWERS[kind], "review": True})
    with seated(work, browser, "anna", java_script_enabled=script) as page:
        page.get_by_role("button", name="Start reviewing").click()
        expect(page.get_by_text("Yours until")).to_be_visible()
        page.wait_for_load_state()
        yield page


def decided(page: Page, work: Workspace) -> Case:
    """The case, once it is closed."""
    expect(page.get_by_text("nothing is left for you")).to_be_visible(timeout=30_000)
    (case,) = flow.queue(work, NAME, Filter(state="decided"))
    return case


def is_open(work: Workspace) -> bool:
    return flow.counts(work, NAME).closed == 0


def test_enter_corrects_a_number_and_leads_to_its_reason(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "number") as page:
        page.keyboard.press("c")
        expect(page.get_by_label("Correct to")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Say what is right.")).to_be_visible()
        page.keyboard.type("99")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Say why: the number of a reason")).to_be_visible()
        expect(page.get_by_role("radio", name="Data looks wrong")).to_be_focused()
        assert is_open(work)
        page.keyboard.press("3")
        case = decided(page, work)
    assert (case.state, case.verdict_answer, case.verdict_reason) == ("corrected", 99.0, "Exception agreed")


def test_a_category_is_corrected_by_its_number_and_that_of_a_reason(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "category") as page:
        expect(page.get_by_role("radio", name="late, Call the crew as answered")).to_be_checked()
        for key in "c32":
            page.keyboard.press(key)
        case = decided(page, work)
    said = ("corrected", "weather", "I know something the model does not")
    assert (case.state, case.verdict_answer, case.verdict_reason) == said


def test_the_number_of_another_category_begins_a_correction(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "category") as page:
        page.keyboard.press("3")
        expect(page.get_by_text("Say why:")).to_be_visible()
        assert is_open(work)
        page.keyboard.press("2")
        case = decided(page, work)
    assert (case.state, case.verdict_answer) == ("corrected", "weather")


def test_one_of_many_categories_is_corrected_by_its_letters(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "of many") as page:
        page.keyboard.press("c")
        expect(page.get_by_label("Correct to")).to_be_focused()
        page.keyboard.type("cause k")
        page.keyboard.press("Enter")
        expect(page.get_by_role("radio", name="Data looks wrong")).to_be_focused()
        assert is_open(work)
        page.keyboard.press("1")
        case = decided(page, work)
    assert (case.state, case.verdict_answer, case.verdict_reason) == ("corrected", "cause k", "Data looks wrong")


def test_enter_on_a_reason_sends_the_correction_that_was_begun(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "flag") as page:
        page.get_by_role("radio", name="Data looks wrong").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nothing is sent yet")).to_be_visible()
        assert is_open(work)
        page.keyboard.press("c")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        case = decided(page, work)
    said = ("corrected", False, "I know something the model does not")
    assert (case.state, case.verdict_answer, case.verdict_reason) == said


def test_enter_on_a_button_does_what_it_says(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "number") as page:
        page.get_by_role("button", name="Approve").focus()
        page.keyboard.press("Enter")
        case = decided(page, work)
    assert (case.state, case.verdict_answer) == ("approved", 12.0)


@pytest.mark.parametrize("script", [True, False])
def test_a_correction_that_is_written_is_never_approved_away(work: Workspace, browser: Browser, script: bool) -> None:
    with judging(work, browser, "number", script=script) as page:
        page.get_by_label("Correct to").fill("99")
        page.get_by_role("button", name="Approve").click()
        told = "Another answer stands here" if script else "yet another answer is said to be right"
        expect(page.get_by_text(told)).to_be_visible()
        expect(page.get_by_label("Correct to")).to_have_value("99")
        assert is_open(work)
        page.get_by_label("Correct to").fill("12")  # as it was answered
        page.get_by_role("button", name="Approve").click()
        assert decided(page, work).state == "approved"


@pytest.mark.parametrize(("kind", "right"), [("number", 99.0), ("category", "weather")])
def test_enter_corrects_without_a_script_too(work: Workspace, browser: Browser, kind: str, right: object) -> None:
    with judging(work, browser, kind, script=False) as page:
        if kind == "number":
            page.get_by_label("Correct to").fill("99")
        else:
            page.get_by_role("radio", name="weather").check()
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("must say why.")
        assert is_open(work)
        page.get_by_role("radio", name="Exception agreed").check()
        page.keyboard.press("Enter")
        case = decided(page, work)
    assert (case.state, case.verdict_answer, case.verdict_reason) == ("corrected", right, "Exception agreed")


def test_enter_on_a_reason_asks_for_the_verdict_without_a_script(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "flag", script=False) as page:
        page.get_by_role("radio", name="Data looks wrong").check()
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Approve, correct, or say that the case cannot be decided.")
        assert is_open(work)
        page.get_by_role("button", name="Correct").click()
        case = decided(page, work)
    assert (case.state, case.verdict_answer, case.verdict_reason) == ("corrected", False, "Data looks wrong")


@pytest.mark.parametrize("script", [True, False])
def test_enter_judges_a_blind_case_by_what_is_chosen(work: Workspace, browser: Browser, script: bool) -> None:
    with judging(work, browser, "flag", blind=True, script=script) as page:
        page.get_by_role("radio").nth(1).check()
        page.keyboard.press("Enter")
        case = decided(page, work)
    assert (case.state, case.verdict_answer) == ("corrected", False)


def test_a_blind_category_is_judged_in_two_keys(work: Workspace, browser: Browser) -> None:
    with judging(work, browser, "category", blind=True) as page:
        for key in "1a":
            page.keyboard.press(key)
        case = decided(page, work)
    assert (case.state, case.verdict_answer) == ("approved", "late")
