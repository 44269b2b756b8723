"""What the audit says of files that nobody described: the draft of `init`, not a line of it confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pilotage.audit import flow
from pilotage.audit.records import Answer, AuditReport, Finding
from pilotage.audit.rules.colours import QUESTIONS
from pilotage.audit.rules.wording import sentence
from pilotage.data import flow as data
from pilotage.data.init_commands import init
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import parse_definition
from tests.real_data import real_data


def drafted(file: Path) -> str:
    """The use-case file that `pilotage init --from FILE` writes."""
    init(address=str(file), name="first_look", to=file.parent / "project")
    (written,) = (file.parent / "project").glob("**/first_look.yaml")
    return written.read_text()


def audited(work: Workspace, text: str) -> AuditReport:
    definition = parse_definition(text, "first_look.yaml")
    data.sync(work, definition)
    return flow.run(work, definition)


def about(report: AuditReport, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def answer(report: AuditReport, key: str) -> Answer:
    return next(given for given in report.answers if given.question == QUESTIONS[key])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    work = open_workspace(Settings(home=tmp_path_factory.mktemp("desk")))
    yield work
    work.close()


@pytest.fixture(scope="module")
def bank(desk: Workspace, tmp_path_factory: pytest.TempPathFactory) -> AuditReport:
    """The calls of a bank as its file has them: no clock, no key."""
    file = tmp_path_factory.mktemp("bank") / "calls.csv"
    with duckdb.connect() as engine:
        engine.execute(f"COPY (FROM '{real_data('bank_full')}') TO '{file}' (HEADER, DELIMITER ';')")
    return audited(desk, drafted(file))


@pytest.fixture(scope="module")
def tumours(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Measurements of 569 tumours (Wolberg 1995), ten of which tell alone nearly all of what they were."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame.insert(0, "tumour_id", range(1, len(frame) + 1))
    file = tmp_path_factory.mktemp("tumours") / "tumours.csv"
    frame.to_csv(file, index=False)
    return drafted(file)


def test_the_length_of_a_call_is_named_without_any_clock(bank: AuditReport) -> None:
    leak = about(bank, "too-good-to-be-true")
    assert [(finding.column, finding.severity) for finding in leak] == [("duration", "warns")]
    assert "a model did not see" in leak[0].message


def test_a_guessed_outcome_cannot_be_judged_and_is_no_answer(bank: AuditReport) -> None:
    assert "what is to be predicted is only guessed (outcome.positive" in sentence(bank)
    truth = answer(bank, "ground_truth")
    assert (truth.how, truth.colour) == ("open", "yellow")
    assert "only guessed so far" in truth.answer
    assert "in words" not in truth.answer


def test_honest_measurements_that_tell_much_block_nothing(desk: Workspace, tumours: str) -> None:
    report = audited(desk, tumours)
    assert {finding.code for finding in report.findings if finding.severity == "blocks"} == {"no-clock"}
    (strong,) = about(report, "too-good-to-be-true")
    assert (strong.id, strong.severity) == ("too-good-to-be-true:tumours", "warns")
    assert "worst_perimeter" in strong.column.split(", ")


def test_what_a_person_found_genuine_is_only_to_be_known(desk: Workspace, tumours: str) -> None:
    said = "\nanswers:\n  findings:\n    too-good-to-be-true:tumours: Dr. Wolberg measured before the biopsy.\n"
    report = audited(desk, tumours + said + "    no-clock:tumours: Nobody needs a clock.\n")
    (strong,) = about(report, "too-good-to-be-true")
    assert strong.severity == "informs"
    assert strong.message.endswith("Looked at: “Dr. Wolberg measured before the biopsy.”")
    assert not strong.is_due
    assert [finding.severity for finding in about(report, "no-clock")] == ["blocks"]
    assert "no-clock:tumours" in about(report, "answer-without-finding")[0].message
