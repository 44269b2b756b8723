"""Scorecard and ranking as pure functions: what turns a row green, and what puts a use case first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.review.arranging import FILE
from tests.rollout.test_rules import BLOCKS, COMPARISON, DEFINITION, NOW, READY

from pilotage.audit.records import Answer, AuditReport, Dimension, Maturity, MonthBalance
from pilotage.models.records import Difference, Estimate
from pilotage.rollout import rules
from pilotage.rollout.readiness.records import Rank, Row, Scorecard
from pilotage.rollout.readiness.rules import markdown, ranking
from pilotage.rollout.readiness.rules.scorecard import scorecard
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.rules.lints import lints

AT = datetime(2013, 12, 5, tzinfo=UTC)
MATURE = Maturity(82.0, (Dimension("labelled", 90.0, "Most are."), Dimension("owned", 74.0, "1 of 2 has an owner.")))
ANSWERS = tuple(Answer(f"Question {number}?", "Yes.", "measured", "green") for number in range(7))
AUDIT = AuditReport(
    "late_arrival",
    NOW,
    {},
    ANSWERS,
    (),
    (),
    1000,
    900,
    200,
    balance=(MonthBalance("2013-05", 900, 200),),
    maturity=MATURE,
)
GAIN = Difference("boosted", Estimate(11_502.0, 4_392.0, 20_590.0, 4_000.0), 0.005, 0.015)
PILOT = msgspec.structs.replace(COMPARISON, differences=(GAIN,))


def card_of(**changes: Any) -> Scorecard:
    read = msgspec.structs.replace(READY, **{"audit": AUDIT, **changes})
    return scorecard(read, [rules.judge(gate, read, AT) for gate in rules.GATES], lints(read.definition), AT)


def row(card: Scorecard, area: str) -> Row:
    return next(each for each in card.rows if each.area == area)


def rank_of(**changes: Any) -> Rank:
    read = msgspec.structs.replace(READY, **{"audit": AUDIT, **changes})
    return ranking.rank(read, card_of(**changes))


def test_a_row_is_red_without_evidence_and_green_as_soon_as_it_is_there() -> None:
    without, with_it = card_of(audit=None), card_of()
    for area in ("Data", "Maturity of the data"):
        assert (row(without, area).light, row(with_it, area).light) == ("red", "green")
        assert "Run pilotage audit late_arrival." in row(without, area).repair
    assert "Data" in without.sentence and with_it.green > without.green


def test_every_row_that_is_not_green_says_what_turns_it_green() -> None:
    for card in (card_of(audit=None), card_of(reviewers=0, card_keys=0), card_of(comparison=None)):
        assert [each.area for each in card.rows if each.light != "green" and not each.repair] == []


@pytest.mark.parametrize(
    ("changes", "light"), [({}, "green"), ({"reviewers": 0}, "yellow"), ({"reviewers": 0, "card_keys": 0}, "yellow")]
)
def test_people_are_under_way_while_some_of_it_is_there(changes: dict[str, Any], light: str) -> None:
    assert row(card_of(**changes), "People").light == light


@pytest.mark.parametrize(("overall", "light"), [(70.0, "green"), (69.9, "yellow"), (40.0, "yellow"), (39.9, "red")])
def test_the_maturity_of_the_data_has_its_marks(overall: float, light: str) -> None:
    mature = msgspec.structs.replace(MATURE, overall=overall)
    found = row(card_of(audit=msgspec.structs.replace(AUDIT, maturity=mature)), "Maturity of the data")
    assert found.light == light
    assert "weakest is “owned” with 74" in found.says


def test_the_worst_colour_of_the_seven_questions_counts() -> None:
    for colour in ("yellow", "red"):
        answers = (*ANSWERS[:6], msgspec.structs.replace(ANSWERS[6], colour=colour))
        found = row(card_of(audit=msgspec.structs.replace(AUDIT, answers=answers)), "Data")
        assert found.light == colour and "6 of 7 are green; open: Question 6?" in found.says


def test_mistakes_in_the_file_that_projects_fail_of_are_red_others_yellow() -> None:
    blind = parse_definition(FILE.replace("positive: aircraft_last_delay > 30", "positive: 1 > 2"), "x.yaml")
    assert row(card_of(definition=blind), "Known mistakes").light == "red"
    assert row(card_of(), "Known mistakes").light == "yellow"
    assert "latency" in row(card_of(), "Known mistakes").says


@pytest.mark.parametrize(
    ("verdict", "worth"),
    [("pilot", "yes"), ("keep_rule", "no"), ("not_enough_evidence", "unclear"), ("blocked", "not_yet")],
)
def test_held_out_time_says_whether_it_is_worth_it(verdict: Any, worth: str) -> None:
    found = rank_of(comparison=msgspec.structs.replace(PILOT, verdict=verdict))
    assert (found.worth, found.because) == (worth, COMPARISON.reason)


@pytest.mark.parametrize(
    ("audit", "worth", "told"),
    [
        (None, "unclear", "Nothing was measured yet"),
        (AUDIT, "promising", "The data carry it"),
        (msgspec.structs.replace(AUDIT, quick_auc=0.55), "unclear", "AUC of 0.55"),
        (msgspec.structs.replace(AUDIT, positives=49), "not_yet", "Only 49 of 900"),
        (msgspec.structs.replace(AUDIT, labelled=0, positives=0), "not_yet", "No past case has a known outcome"),
        (msgspec.structs.replace(AUDIT, findings=(BLOCKS,)), "not_yet", "arr_delay comes too late"),
    ],
)
def test_before_training_the_audit_says_so(audit: AuditReport | None, worth: str, told: str) -> None:
    found = rank_of(comparison=None, definitions={}, audit=audit)
    assert found.worth == worth and told in found.because and found.next


def test_a_comparison_of_an_earlier_file_does_not_count() -> None:
    found = rank_of(comparison=PILOT, definitions={"comparison": "of another text"})

    assert found.worth == "promising"
    assert not [reason for reason in found.reasons if "earns" in str(reason)]
    assert [reason for reason in rank_of(comparison=PILOT).reasons if "earns" in str(reason)]


def test_an_audit_of_an_earlier_file_turns_nothing_green() -> None:
    card = card_of(definitions={**READY.definitions, "audit": "of another text"})

    for area in ("Data", "Maturity of the data"):
        found = row(card, area)
        assert found.light == "yellow" and "an earlier text of the file" in found.says
        assert found.repair == "Run pilotage audit late_arrival."


def test_money_is_told_by_the_year() -> None:
    found = rank_of(comparison=PILOT)
    assert found.money_a_year == pytest.approx(11_502 * 12_000 / 1_000)
    assert found.at_stake_a_year == pytest.approx(12_000 * 200 / 900 * 180)
    assert any("+138,024 USD a year" in reason for reason in found.reasons)


def test_the_one_to_build_first_comes_first() -> None:
    base = rank_of(comparison=PILOT)
    named = [
        msgspec.structs.replace(base, use_case=name, worth=worth, money_a_year=money, green=green)
        for name, worth, money, green in [
            ("kept", "no", 9e9, 11),
            ("small", "yes", 10.0, 11),
            ("large", "yes", 1e6, 2),
            ("maybe", "promising", 1e7, 5),
            ("also_small", "yes", 10.0, 11),
            ("later", "not_yet", None, 5),
        ]
    ]
    assert [each.use_case for each in ranking.ranked(named)] == [
        "large",
        "also_small",
        "small",
        "maybe",
        "later",
        "kept",
    ]


def test_the_documents_hold_every_row_and_place_and_no_broken_table() -> None:
    card = card_of(audit=None)
    text = markdown.of_scorecard(card)
    assert all(f"| {each.area} |" in text for each in card.rows)
    assert {line.count("|") - 2 * line.count("\\|") for line in text.splitlines() if line.startswith("|")} == {5}
    title = msgspec.structs.replace(rank_of(), title="A | B")
    assert "## 1. A \\| B" in markdown.of_ranking([title])
    assert DEFINITION.name in text
