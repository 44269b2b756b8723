"""The seven answers: their colours, what they stand on, what was asked."""

from __future__ import annotations

import pytest

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, Finding
from pilotage.audit.rules.answers import answers, open_answers, with_proof
from pilotage.audit.rules.colours import GRAVE_SHARE, WARNINGS_MAX, colour_of
from pilotage.audit.rules.wording import sentence
from tests.audit.reports import finding, small
from tests.audit.shop_figures import figures
from tests.data.shop import TEXT, shop

__all__ = ["figures"]


def by_path(given: tuple[Answer, ...]) -> dict[str, Answer]:
    return {answer.path.removeprefix("answers."): answer for answer in given}


def test_an_answer_takes_its_colour_from_the_findings_of_its_topics_and_names_them(figures: Measured) -> None:
    found = [
        finding("one-class", "blocks", "label"),
        finding("stale", "warns", "currency", "visits"),
        finding("known-late", "informs", "currency", "orders"),
        finding("known-after-decision", "warns", "leakage"),
    ]
    given = by_path(answers(shop(), figures, found))
    assert (given["ground_truth"].colour, given["ground_truth"].evidence) == ("red", ("one-class:orders.amount",))
    assert (given["quality"].colour, given["quality"].evidence) == ("yellow", ("stale:visits.amount",))
    assert given["real_time"].colour == "yellow"
    assert given["systems"].colour == "green"
    assert given["recreated"].colour == "yellow", "nobody proved it yet"


@pytest.mark.parametrize(
    ("found", "colour"),
    [
        ([], "green"),
        ([finding(severity="warns")], "yellow"),
        ([finding(severity="warns", share=GRAVE_SHARE)], "red"),
        ([finding(severity="warns")] * WARNINGS_MAX, "red"),
        ([finding(severity="blocks")], "red"),
    ],
)
def test_the_thresholds_of_the_colours(found: list[Finding], colour: str) -> None:
    assert colour_of(found) == colour


def test_what_a_person_said_stands_beside_what_was_measured(figures: Measured) -> None:
    told = shop(TEXT + "\nanswers:\n  ground_truth: The desk counts parcels by hand.\n")
    given = answers(told, figures, ())
    truth = by_path(given)["ground_truth"]
    assert truth.asked == "The desk counts parcels by hand."
    assert "Known for" in truth.answer
    assert open_answers(given) == (
        "answers.systems",
        "answers.quality",
        "answers.recreated",
        "answers.sensitive",
        "answers.real_time",
        "answers.repair",
    )


def test_a_proof_that_failed_is_red(figures: Measured) -> None:
    given = answers(shop(), figures, ())
    assert by_path(with_proof(given, "set_1", True))["recreated"].colour == "green"
    refuted = by_path(with_proof(given, "set_1", False))["recreated"]
    assert (refuted.colour, refuted.how, refuted.path) == ("red", "measured", "answers.recreated")


def test_a_guessed_outcome_counts_as_not_answered(figures: Measured) -> None:
    drafted = shop(TEXT + "\nguessed: {outcome.positive: it has two values}\n")
    truth = by_path(answers(drafted, figures, ()))["ground_truth"]
    assert (truth.how, truth.colour) == ("open", "yellow")
    assert drafted.use_case.outcome.says not in truth.answer
    assert by_path(answers(shop(), figures, ()))["ground_truth"].how == "measured"


def test_the_ground_truth_says_whether_wrong_outcomes_were_looked_for(figures: Measured) -> None:
    assert "Whether outcomes are wrong was not measured" in by_path(answers(shop(), figures, ()))["ground_truth"].answer


def test_answers_say_of_what_they_speak(figures: Measured) -> None:
    given = by_path(answers(shop(), figures, ()))
    assert "of decisions find a row in visits, and no fewer in any other source" in given["quality"].answer
    assert "or more" not in given["quality"].answer
    assert "required, " in given["real_time"].answer
    assert "look at" not in given["sensitive"].answer


def test_a_pilot_is_not_judged_while_the_outcome_is_guessed_or_known_at_the_decision() -> None:
    guessed = finding("guessed", "warns", "file", "", "", figures={"places": ["owner", "outcome.positive"]})
    owner = finding("guessed", "warns", "file", "", "", figures={"places": ["owner"]})
    early = finding("outcome-known-early", "warns", "label", share=1.0)
    assert sentence(small(guessed)).startswith(
        "Whether the data can carry a pilot cannot be judged yet: what is to be predicted is only guessed"
    )
    assert sentence(small(early)).startswith("Whether the data can carry a pilot cannot be judged yet: by its clock")
    assert sentence(small(owner)).startswith("The data can carry a pilot")
