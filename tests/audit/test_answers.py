"""The seven answers: their colours, what they stand on, what was asked."""

from __future__ import annotations

import pytest

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, Finding
from pilotage.audit.rules.answers import answers, open_answers, with_proof
from pilotage.audit.rules.colours import GRAVE_SHARE, WARNINGS_MAX, colour_of
from tests.audit.reports import finding
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
