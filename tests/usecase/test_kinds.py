"""Yes or no, one of several categories, a number: the file says which, and everything else in it must go with that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pilotage.platform.errors import InvalidFile
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Constraint, Definition
from pilotage.usecase.rules.brief import markdown
from pilotage.usecase.rules.consistency import check_against_sources
from tests.usecase.example import TEXT, changed, defined, problems
from tests.usecase.test_consistency import COLUMNS

NUMBER = (
    ("positive: arr_delay > 30", "number: arr_delay\n  unit: minutes"),
    ("positive: aircraft_delay > 30", "number: aircraft_delay"),
    ("caught: 180, false_alarm: -60", "too_low: -3, too_high: -1"),
    ("{positive: Prepare rebooking, negative: Leave as planned}", "{above: Rebook, below: Leave}\n  threshold: 30"),
    ("default: negative", "default: 0\n  width: 60"),
)
CATEGORY = (
    ("positive: arr_delay > 30", "category: carrier"),
    ("positive: aircraft_delay > 30", "category: carrier"),
    ("caught: 180, false_alarm: -60", "right: 2, wrong: -3"),
    ("{positive: Prepare rebooking, negative: Leave as planned}", "{UA: Call United}"),
    ("default: negative", "default: AA\n  confidence: 0.6"),
)
KINDS = {"flag": (), "number": NUMBER, "category": CATEGORY}


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "outcomes.md"


def of_kind(kind: str, *more: tuple[str, str]) -> str:
    """The example file with an outcome of this kind, and changes to that."""
    text = changed(*KINDS[kind])
    for old, new in more:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def read(kind: str, *more: tuple[str, str]) -> Definition:
    return parse_definition(of_kind(kind, *more), "example.yaml")


@pytest.mark.parametrize(
    ("kind", "key", "expression"),
    [("flag", "positive", "arr_delay > 30"), ("number", "number", "arr_delay"), ("category", "category", "carrier")],
)
def test_the_outcome_says_of_which_kind_a_use_case_is(kind: str, key: str, expression: str) -> None:
    use_case = read(kind).use_case
    assert (use_case.kind, use_case.outcome.key, use_case.outcome.expression) == (kind, key, expression)
    assert use_case.rule.kind == kind
    assert check_against_sources(read(kind), COLUMNS) == []


def test_people_decided_something_of_the_outcomes_kind() -> None:
    human = "human: {source: arrivals, decided: arr_delay, says: the planner's estimate}\nrule:"
    use_case = read("number", ("rule:", human)).use_case
    assert use_case.human is not None
    assert use_case.human.decided == "arr_delay"
    (problem,) = check_against_sources(read("category", ("rule:", human)), COLUMNS)
    assert (problem.where, problem.message) == ("human.decided", "It gives a number; a text is wanted.")


@pytest.mark.parametrize(
    ("written", "precision", "a_day"), [("{precision: 0.8}", 0.8, None), ("{a_day: 40}", None, 40)]
)
def test_a_threshold_may_be_what_is_to_be_kept_to(written: str, precision: float | None, a_day: int | None) -> None:
    policy = defined(("default: negative", f"threshold: {written}")).use_case.policy
    assert policy.threshold == Constraint(precision=precision, a_day=a_day)


@pytest.mark.parametrize(
    ("kind", "old", "new", "where", "says"),
    [
        ("flag", "positive: arr_delay > 30", "positive: late\n  number: arr_delay", "outcome", "positive and number"),
        ("flag", "  positive: arr_delay > 30\n", "", "outcome", "Give exactly one"),
        ("flag", "positive: arr_delay > 30", "number: arr_delay > 30", "outcome.number", "a number is wanted"),
        ("flag", "positive: arr_delay > 30", "positive: arr_delay / 2", "outcome.positive", "true or false is wanted"),
        ("flag", "  says: arrives", "  unit: minutes\n  says: arrives", "outcome.unit", "unit belongs to a number"),
        ("number", "number: aircraft_delay", "positive: aircraft_delay > 3", "rule.positive", "Write number:"),
        ("number", "number: aircraft_delay", "number: weekday", "rule.number", "It gives a text; a number is wanted"),
        ("category", "category: carrier\n  says: the", "category: hour\n  says: the", "rule.category", "CAST(code AS"),
        ("flag", "caught: 180, ", "", "brief.value", "caught is missing."),
        (
            "flag",
            "caught: 180",
            "caught: 180, right: 3",
            "brief.value.right",
            "belongs to an outcome that has category",
        ),
        ("number", "too_high: -1", "too_high: 1", "brief.value.too_high", "at most 0"),
        ("number", "too_low: -3, too_high: -1", "too_low: 0, too_high: 0", "brief.value", "nothing to predict"),
        ("number", ", too_high: -1", "", "brief.value", "too_high is missing."),
        ("category", "right: 2, wrong: -3", "right: -4, wrong: -3", "brief.value", "right must be more than wrong"),
        ("number", "\n  threshold: 30", "", "policy.threshold", "in the outcome's unit"),
        ("number", "  actions: {above: Rebook, below: Leave}\n", "", "policy.threshold", "there are none"),
        ("number", "below: Leave", "under: Leave", "policy.actions.under", "Known: above, below."),
        ("number", "default: 0", "default: none", "policy.default", "The outcome is a number (got 'none')."),
        ("number", "  default: 0\n", "", "policy", "default is missing"),
        ("number", "width: 60", "uncertain_within: 0.1", "policy.uncertain_within", "Write width"),
        ("number", "width: 60", "width: 0", "policy.width", "more than 0"),
        ("category", "confidence: 0.6", "threshold: 0.6", "policy.threshold", "Write confidence"),
        ("category", "confidence: 0.6", "confidence: 1", "policy.confidence", "less than 1"),
        ("category", "default: AA", "default: 7", "policy.default", "Write it in quotes: '7'."),
        ("flag", "default: negative", "default: no", "policy.default", "Write positive or negative."),
        ("flag", "default: negative", "threshold: 1.5", "policy.threshold", "between 0 and 1 (got 1.5)"),
        ("flag", "default: negative", "threshold: {}", "policy.threshold", "neither precision nor a_day"),
        ("flag", "default: negative", "threshold: {precision: 0.8, a_day: 4}", "policy.threshold", "Give one of them"),
        ("flag", "default: negative", "threshold: {a_day: 0}", "policy.threshold.a_day", "at least 1"),
        ("flag", "default: negative", "threshold: {recall: 0.8}", "policy.threshold.recall", "not a key here"),
        ("number", "\nrule:", "fairness: {by: [carrier]}\nrule:", "fairness", "this outcome has number"),
        ("flag", "\nrule:", "fairness: {by: []}\nrule:", "fairness.by", "No group is named."),
        ("flag", "\nrule:", "human: {source: arivals, decided: late}\nrule:", "human.source", "Did you mean arrivals?"),
        ("flag", "\nrule:", "human: {source: arrivals, decided: 1 + 1}\nrule:", "human.decided", "It gives a number"),
        (
            "flag",
            "\nrule:",
            "human: {source: flights, decided: carrier}\nrule:",
            "decision.request.carrier",
            "what people decided",
        ),
        ("flag", "  entity: flight_id", "  entity: flight_id\n  judged: split ==", "decision.judged", "Cannot be read"),
        ("flag", "carrier: category", "carrier: text", "inputs.recent.by[0]", "free text, which is no key"),
    ],
)
def test_what_does_not_go_with_the_outcomes_kind_is_named(kind: str, old: str, new: str, where: str, says: str) -> None:
    found = {problem.where: problem for problem in problems(of_kind(kind, (old, new)))}
    assert where in found, found
    assert says in f"{found[where].message} {found[where].repair}"
    assert found[where].line > 1


def test_everything_that_a_changed_kind_leaves_behind_is_said_at_once() -> None:
    text = changed(("positive: arr_delay > 30", "number: arr_delay"), ("default: negative", "uncertain_within: 0.1"))
    with pytest.raises(InvalidFile) as refused:
        parse_definition(text, "example.yaml")
    assert {problem.where for problem in refused.value.problems} == {
        "rule.positive",
        "brief.value",
        "brief.value.caught",
        "brief.value.false_alarm",
        "policy",
        "policy.actions",
        "policy.actions.positive",
        "policy.actions.negative",
        "policy.threshold",
        "policy.uncertain_within",
    }


@pytest.mark.parametrize(
    ("added", "where", "says"),
    [
        ("fairness: {by: [carier]}", "fairness.by[0]", "Did you mean carrier?"),
        ("human: {source: arrivals, decided: arr_dely > 1}", "human.decided", "Did you mean arr_delay?"),
        ("human: {source: weather, decided: temp_f > 1}", "human.source", "by which human decisions find"),
    ],
)
def test_what_people_decided_and_groups_are_columns_of_their_sources(added: str, where: str, says: str) -> None:
    definition = parse_definition(f"{TEXT}\n{added}\n", "example.yaml")
    found = {problem.where: problem for problem in check_against_sources(definition, COLUMNS)}
    assert says in f"{found[where].message} {found[where].repair}"


def test_which_cases_judge_is_a_condition_over_the_decisions_source() -> None:
    judged = "  entity: flight_id\n  judged: {}"
    fits = defined(("  entity: flight_id", judged.format("distance > 500")))
    assert check_against_sources(fits, COLUMNS) == []
    (problem,) = check_against_sources(defined(("  entity: flight_id", judged.format("distance"))), COLUMNS)
    assert (problem.where, problem.message) == ("decision.judged", "It gives a number; true or false is wanted.")


def test_free_text_is_a_text_to_expressions_and_an_input_of_its_own_kind() -> None:
    definition = defined(
        ("    distance: {kind", "    remark: {kind: text, required: false}\n    distance: {kind"),
        (
            "  distance: request",
            "  remark: request\n  quiet: {derived: LOWER(remark), kind: text}\n  distance: request",
        ),
        ("positive: aircraft_delay > 30", "positive: remark LIKE '%snow%'"),
    )
    kinds = {column.name: column.kind for column in definition.plan.columns}
    assert (kinds["remark"], kinds["quiet"]) == ("text", "text")
    (problem,) = check_against_sources(definition, {"flights": {**COLUMNS["flights"], "remark": "number"}})
    assert (problem.where, problem.repair) == ("decision.request.remark", "Declare it as number.")


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("flag", ("Prepare rebooking, or Leave", "25%", "within 5% of the threshold")),
        (
            "number",
            (
                "a number: arrives",
                "unit too low (minutes):** -3",
                "from 30 minutes on Rebook",
                "wider than 60 minutes",
                "0 minutes",
            ),
        ),
        ("category", ("one of several categories", "UA: Call United", "-3.00 USD", "less than 60% sure", ": AA")),
    ],
)
def test_the_brief_speaks_of_each_kind_in_its_own_terms(kind: str, parts: tuple[str, ...]) -> None:
    text = markdown(read(kind))
    for part in parts:
        assert part in text, text


def test_the_brief_says_what_the_threshold_and_groups_are_held_to() -> None:
    text = markdown(
        defined(
            ("default: negative", "threshold: {precision: 0.8}"),
            ("\nrule:", "fairness: {by: [carrier], ratio: 0.9}\nhuman: {source: arrivals, decided: late}\nrule:"),
        )
    )
    assert "at least 80% of the cases acted on turn out positive" in text
    assert "how often it acts, by carrier: lowest over highest at least 0.9" in text
    assert "**People's decision:** late" in text


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL))
def test_what_the_page_on_outcomes_shows_can_be_copied(block: str) -> None:
    wrong = [problem for problem in problems(block) if not problem.message.endswith("is missing.")]
    assert wrong == []
