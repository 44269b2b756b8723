"""The audit of real flights: what it must find, and what it must not cry about."""

from __future__ import annotations

import pytest

from pilotage.audit import flow
from pilotage.audit.records import AuditReport, Finding
from pilotage.audit.rules.wording import sentence
from pilotage.data import flow as data
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.audit.conftest import FILE

QUESTIONS = (
    "Which systems hold the inputs?",
    "Which outcome is the ground truth?",
    "How complete, current, duplicated, biased and noisy is it?",
    "Can the training data be recreated?",
    "Which fields are sensitive?",
    "Which must be there in real time?",
    "Who fixes a broken source?",
)


@pytest.fixture(scope="module")
def report(office: Workspace, late_arrival: Definition) -> AuditReport:
    return flow.run(office, late_arrival)


@pytest.fixture(scope="module")
def kept(office: Workspace, late_arrival: Definition, report: AuditReport) -> tuple[AuditReport, AuditReport | None]:
    """The audit after a training set was built and proved, and what was kept as the newest then."""
    assert data.prove(office, late_arrival, data.build(office, late_arrival)).same
    again = flow.run(office, late_arrival)
    return again, flow.latest(office, "late_arrival")


def found(report: AuditReport, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def test_the_example_can_carry_a_pilot(report: AuditReport) -> None:
    assert not report.blocked
    assert sentence(report).startswith("The data can carry a pilot")


def test_columns_known_only_after_the_decision_are_named_and_refused(report: AuditReport) -> None:
    late = {finding.source: finding for finding in found(report, "known-after-decision")}
    assert set(late) == {"departures", "arrivals"}
    assert late["departures"].column == "dep_time, dep_delay"
    assert {"arr_time", "arr_delay", "air_time"} <= set(late["arrivals"].column.split(", "))
    assert all(finding.severity == "informs" for finding in late.values())
    assert "Nothing uses them" in late["arrivals"].message


def test_columns_too_good_to_be_true_are_found_without_their_clocks(report: AuditReport) -> None:
    good = {(finding.source, finding.column) for finding in found(report, "too-good-to-be-true")}
    copies = {(finding.source, finding.column) for finding in found(report, "copy-of-the-label")}
    assert {("departures", "dep_delay"), ("arrivals", "dep_delay")} <= good
    assert copies == {("arrivals", "arr_delay"), ("arrivals", "late")}
    assert all(finding.severity == "informs" for finding in found(report, "too-good-to-be-true"))


def test_a_leak_behind_a_lying_clock_is_blocked(office: Workspace, leaking: Definition) -> None:
    report = flow.run(office, leaking)
    assert report.blocked
    blocking = [finding for finding in report.findings if finding.severity == "blocks"]
    assert [(finding.code, finding.column) for finding in blocking] == [("too-good-to-be-true", "predicted_delay")]
    assert blocking[0].owner == "nightly@airline.example"
    assert report.findings[0] == blocking[0]
    assert sentence(report).startswith("The data cannot carry a pilot yet: 1 repair must come first")


def test_an_input_that_is_never_known_in_time_is_blocked(office: Workspace, late_arrival: Definition) -> None:
    text = FILE.read_text().replace(
        "\ninputs:\n", "\ninputs:\n  own_delay: {latest: departures, by: flight_id, take: dep_delay}\n"
    )
    definition = parse_definition(text, "own.yaml")
    report = flow.run(office, definition)
    blocking = {finding.code: finding for finding in report.findings if finding.severity == "blocks"}
    assert "own_delay would take what is not there yet" in blocking["known-after-decision"].message
    assert blocking["incomplete-input"].column == "own_delay"


def test_seven_questions_are_answered_in_order_with_figures(report: AuditReport) -> None:
    assert tuple(answer.question for answer in report.answers) == QUESTIONS
    how = [answer.how for answer in report.answers]
    assert how == ["measured", "measured", "measured", "open", "measured", "measured", "declared"]
    assert f"{report.labelled:,} of {report.decisions:,} decisions" in report.answers[1].answer
    assert "weather-desk@airline.example: weather" in report.answers[6].answer


def test_a_proved_training_set_answers_the_fourth_question(kept: tuple[AuditReport, AuditReport | None]) -> None:
    again, _ = kept
    assert again.answers[3].how == "measured"
    assert again.answers[3].answer.startswith("Yes: set_")


def test_the_audit_says_the_same_with_and_without_a_training_set(
    report: AuditReport, kept: tuple[AuditReport, AuditReport | None]
) -> None:
    again, _ = kept
    assert report.answers[3].how == "open"
    assert again.findings == report.findings


def test_profiles_count_what_is_there(report: AuditReport) -> None:
    profiles = {profile.source: profile for profile in report.profiles}
    assert profiles["flights"].rows > 26_000
    assert profiles["flights"].completeness["tail_number"] < 1
    assert profiles["flights"].completeness["origin"] == 1
    assert profiles["weather"].match_share == 1
    assert all(profile.duplicates_by_key == 0 for profile in report.profiles)
    assert report.balance[0].month == "2013-01"
    assert sum(month.positives for month in report.balance) == report.positives


def test_the_newest_report_is_kept(office: Workspace, kept: tuple[AuditReport, AuditReport | None]) -> None:
    again, newest = kept
    assert newest == again
    assert flow.latest(office, "another") is None


def test_sources_must_be_synced_first(work: Workspace) -> None:
    with pytest.raises(EvidenceMissing, match="pilotage sync late_arrival"):
        flow.run(work, parse_definition(FILE.read_text(), str(FILE)))
