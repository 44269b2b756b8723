"""An audit of outcomes that are categories or numbers: the same seven questions, in the terms of the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.audit.rules import wording
from pilotage.data import flow as data
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.audit.conftest import FILE
from tests.data.test_outcome_kinds import NEWS, NEWSGROUPS

DELAY = (
    (
        "  positive: delay_minutes > 30\n  says: arrives more than",
        "  number: delay_minutes\n  unit: minutes\n  says: by",
    ),
    ("  positive: COALESCE(aircraft_last_delay, 0) > 30", "  number: COALESCE(aircraft_last_delay, 0)"),
    ("caught: 180, false_alarm: -60", "too_low: -3, too_high: -1"),
    ("  actions: {positive: Prepare rebooking, negative: Leave as planned}\n  default: negative\n", "  default: 0\n"),
    ("  uncertain_within: 0.03", "  width: 90"),
)


@pytest.fixture(scope="module")
def delay(office: Workspace) -> Definition:
    """The flights of January with their delay in minutes as the outcome, synced."""
    text = FILE.read_text()
    for old, new in DELAY:
        assert old in text, old
        text = text.replace(old, new)
    definition = parse_definition(text, "delay.yaml")
    data.sync(office, definition)
    return definition


@pytest.fixture(scope="module")
def of_delay(office: Workspace, delay: Definition) -> AuditReport:
    return flow.run(office, delay)


def found(report: AuditReport, code: str) -> Any:
    (finding,) = [finding for finding in report.findings if finding.code == code]
    return finding


def test_seven_questions_are_answered_of_a_delay_in_minutes(of_delay: AuditReport) -> None:
    answers = {answer.question: answer for answer in of_delay.answers}
    assert len(answers) == 7
    truth = answers["Which outcome is the ground truth?"].answer
    assert "half of them up to -4 minutes" in truth
    assert "positive" not in truth
    assert "a number is not right or wrong" in truth


def test_the_report_says_what_stands_for_yes_and_no(
    office: Workspace, of_delay: AuditReport, delay: Definition, tmp_path: Path
) -> None:
    with duckdb.connect() as engine:
        rows = data.training_rows(office, data.build(office, delay))
        engine.register("rows", rows)
        above, known = engine.sql("SELECT count_if(label > -4), count(label) FROM rows").fetchall()[0]
    assert (of_delay.positives, of_delay.labelled) == (above, known)
    assert "whether one is above -4 minutes, the median." in wording.sentence(of_delay)
    flow.write_report(of_delay, None, [], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "the share that turned out above -4 minutes" in page
    assert "positive" not in page.lower()


def test_a_column_that_holds_the_delay_is_a_copy_of_it_and_late(of_delay: AuditReport) -> None:
    copies = {f.source: f for f in of_delay.findings if f.code == "copy-of-the-label"}
    assert "tells whether the outcome is above -4 minutes" in copies["arrivals"].message
    late = {f.source for f in of_delay.findings if f.code == "known-after-decision"}
    assert late == {"arrivals", "departures"}


def test_delays_far_from_the_others_are_shown(of_delay: AuditReport) -> None:
    far = found(of_delay, "far-outcomes")
    assert far.samples[0]["outcome"] == "1272"
    assert "the middle half, which is from -15 to 11 minutes" in far.message
    assert far.severity == "informs"


def of_shop(work: Workspace, folder: Path, key: str, outcomes: list[Any]) -> AuditReport:
    """The audit of cases a minute apart with these outcomes, known an hour later."""
    pa_type = pa.float64() if key == "number" else pa.string()
    cases = len(outcomes)
    engine = duckdb.connect()
    engine.register("given", pa.table({"n": list(range(cases)), "outcome": pa.array(outcomes, pa_type)}))
    rows = engine.sql("""SELECT 'c' || n AS case_id, hash(n) % 7 AS colour, outcome,
    TIMESTAMP '2013-11-01 08:00' + to_minutes(n) AS at, TIMESTAMP '2013-11-01 09:00' + to_minutes(n) AS known_at
    FROM given""").to_arrow_table()
    pq.write_table(rows.drop_columns(["known_at", "outcome"]), folder / "cases.parquet")
    pq.write_table(rows.drop_columns(["at", "colour"]), folder / "results.parquet")
    worth, default = ("too_low: -1, too_high: -1", "0") if key == "number" else ("right: 1, wrong: -1", "none")
    rule = "0" if key == "number" else "\"'none'\""
    definition = parse_definition(
        f"""
use_case: cases
title: Cases
owner: owner@example.com
brief:
  workflow: Cases come.
  users: Clerks
  decision: What is it?
  kpi: Hours
  value: {{currency: EUR, {worth}}}
sources:
  cases: {{files: {folder}/cases.parquet, key: [case_id], event_time: at, known_at: at}}
  results: {{files: {folder}/results.parquet, key: [case_id], event_time: known_at, known_at: known_at}}
decision: {{entity: case_id, source: cases, request: {{colour: number}}}}
outcome: {{source: results, {key}: outcome, says: what it is, matures: 2 hours}}
inputs: {{colour: request}}
rule: {{{key}: {rule}, says: always the same}}
policy: {{default: {default}}}
""",
        "cases.yaml",
    )
    data.sync(work, definition)
    return flow.run(work, definition)


CASES = 3000


@pytest.mark.parametrize(
    ("key", "outcomes", "code", "severity", "says"),
    [
        ("number", [5.0] * CASES, "one-class", "blocks", "known outcomes are 5: nothing to tell apart."),
        ("category", ["a"] * CASES, "one-class", "blocks", "are of one category, “a”: nothing to tell apart."),
        ("number", [None] * (CASES - 1) + [1.0], "one-class", "blocks", "none has a known outcome"),
        ("category", ["ab"[n % 2] for n in range(150)], "few-outcomes", "warns", "of another category than “"),
        (
            "category",
            ["ab"[n % 2] if n % 100 else f"rare {n % 300}" for n in range(CASES)],
            "rare-categories",
            "informs",
            "3 of 5 categories have fewer than 50 known outcomes (rare 200, rare 100, rare 0)",
        ),
        ("category", ["a" if n % 50 else "b" for n in range(CASES)], "class-imbalance", "warns", "outcomes are “a”"),
        ("category", [f"text {n}" for n in range(CASES)], "many-categories", "blocks", "nobody can learn them"),
        ("category", [f"code {n % 250}" for n in range(CASES)], "many-categories", "warns", "more than can be told"),
        ("number", [0.0 if n % 3 else float(n) for n in range(CASES)], "mostly-one-value", "warns", "are exactly 0:"),
    ],
)
def test_what_is_odd_about_outcomes_is_found_by_their_kind(
    work: Workspace, tmp_path: Path, key: str, outcomes: list[Any], code: str, severity: str, says: str
) -> None:
    report = of_shop(work, tmp_path, key, outcomes)
    finding = found(report, code)
    assert (finding.severity, finding.topic) == (severity, "label")
    assert says in finding.message


def test_a_number_of_which_half_are_the_greatest_still_has_two_sides(work: Workspace, tmp_path: Path) -> None:
    report = of_shop(work, tmp_path, "number", [10.0 if n % 5 else 3.0 for n in range(CASES)])
    assert "whether one is 10 or more, the median" in report.face
    assert 0 < report.positives < report.labelled
    assert not [finding for finding in report.findings if finding.code == "one-class"]


@pytest.mark.skipif(not NEWSGROUPS.exists(), reason="the newsgroups are not here")
def test_newsgroups_are_audited_to_the_end(work: Workspace) -> None:
    definition = parse_definition(NEWS, "news.yaml")
    data.sync(work, definition)
    report = flow.run(work, definition)
    assert "most often rec.sport.hockey 5.3%" in report.answers[1].answer
    assert "whether one is the most frequent, “rec.sport.hockey”" in wording.sentence(report)
    assert found(report, "no-clock").severity == "warns"  # the file says which rows judge
    placeholders = {finding.column for finding in report.findings if finding.code == "placeholder-values"}
    assert "split" not in placeholders
    assert "split" not in {proposal.name for proposal in report.plan.proposals}
