"""The whole suite on real flights, and the evidence it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilotage.data import store as data
from pilotage.models.suite import Limits, Result, SuiteReport, TestedModel, TestedRule, preparing
from pilotage.models.suite.kept import suite_of
from pilotage.models.suite.preparing import candidate_of, comparison_of, held_out_rows, parted, prepare
from pilotage.models.suite.running import run_suite
from pilotage.platform.errors import EvidenceMissing, NotFound
from pilotage.usecase.records import Definition
from tests.models import flights
from tests.models.conftest import Trained


@pytest.fixture(scope="module")
def project(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The installation with the training set where the data room keeps it."""
    place = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(trained.rows, place)
    digest, _ = trained.work.lake.keep(place, ".parquet")
    kept = msgspec.structs.replace(flights.training_set(trained.rows), digest=digest)
    with trained.work.database.writing() as connection:
        data.add_training_set(connection, kept)
    return trained


@pytest.fixture(scope="module")
def report(project: Trained) -> SuiteReport:
    artefact = candidate_of(project.work, project.definition, "boosted")
    return run_suite(project.work, project.definition, artefact, lambda sentence: None)


def outcomes(results: tuple[Result, ...]) -> dict[str, str]:
    return {result.name: result.outcome for result in results}


def test_boosted_trees_on_flights_pass_every_default(report: SuiteReport) -> None:
    assert [result.sentence for result in report.failed] == []
    found = outcomes(report.results)
    assert found["missing:aircraft_last_delay"] in ("PASS", "WARN")
    assert {found[name] for name in ("same row twice", "one row and many", "row order")} == {"PASS"}
    assert len([name for name in found if name.startswith("missing:")]) == len(project_columns())
    assert report.rows == 2_000


def project_columns() -> tuple[str, ...]:
    return tuple(column.name for column in flights.columns())


def test_only_rows_are_asked_that_the_model_has_not_learnt_from(project: Trained) -> None:
    comparison = project.comparison
    learnt, held_out = parted(project.rows, comparison)
    assert max(learnt["moment"].to_pylist()) < comparison.train_to.replace(tzinfo=None)
    assert min(held_out["moment"].to_pylist()) >= comparison.calibrate_to.replace(tzinfo=None)
    known = project.rows.filter(project.rows["label"].is_valid())
    assert parted(known, comparison)[1].num_rows == comparison.rows_held_out
    assert not set(learnt["entity"].to_pylist()) & set(held_out["entity"].to_pylist())


def test_where_the_training_set_has_rows_set_apart_these_are_asked(project: Trained) -> None:
    marks = pa.array([number % 4 == 0 or None for number in range(project.rows.num_rows)])
    learnt, held_out = parted(project.rows.append_column("judged", marks), project.comparison)
    assert (learnt.num_rows, held_out.num_rows) == (project.rows.num_rows - marks.true_count, marks.true_count)
    assert set(held_out["judged"].to_pylist()) == {True}


def _judging(project: Trained, judged: str) -> Definition:
    """The same file, with ``decision.judged`` written into it after the model was trained."""
    use_case = project.definition.use_case
    decision = msgspec.structs.replace(use_case.decision, judged=judged)
    return msgspec.structs.replace(project.definition, use_case=msgspec.structs.replace(use_case, decision=decision))


def test_what_the_file_sets_apart_since_training_does_not_change_which_rows_are_asked(project: Trained) -> None:
    artefact = candidate_of(project.work, project.definition, "linear")
    as_trained = prepare(project.work, project.definition, artefact)
    now = prepare(project.work, _judging(project, "month = 2"), artefact)
    assert now.held_out.equals(as_trained.held_out) and now.learnt.equals(as_trained.learnt)


@pytest.fixture
def rebuilt(project: Trained) -> Iterator[Trained]:
    """The installation after a later build, whose set has the oldest rows only: all of them taught the model."""
    later = msgspec.structs.replace(
        flights.training_set(project.rows), id="set_2", digest="0" * 64, made_at=datetime(2030, 1, 1, tzinfo=UTC)
    )
    with project.work.database.writing() as connection:
        data.add_training_set(connection, later)
    yield project
    with project.work.database.writing() as connection:
        connection.execute(data.training_sets.delete().where(data.training_sets.c.id == "set_2"))


def test_the_rows_are_those_of_the_training_set_of_the_model_and_not_of_a_later_one(rebuilt: Trained) -> None:
    artefact = candidate_of(rebuilt.work, rebuilt.definition, "linear")
    asked = held_out_rows(rebuilt.work, rebuilt.definition, artefact)
    assert asked.num_rows == 2_000
    assert prepare(rebuilt.work, rebuilt.definition, artefact).held_out.num_rows == 2_000


def test_a_training_set_that_is_gone_is_said(project: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    artefact = candidate_of(project.work, project.definition, "linear")
    monkeypatch.setattr(preparing, "find_training_set", lambda work, identifier: None)
    with pytest.raises(EvidenceMissing, match="The training set set_1 that linear was trained on is gone"):
        prepare(project.work, project.definition, artefact)


@pytest.mark.parametrize("candidate", ["linear", "additive"])
def test_the_other_candidates_are_tested_alike(project: Trained, candidate: str) -> None:
    artefact = candidate_of(project.work, project.definition, candidate)
    found = run_suite(project.work, project.definition, artefact, lambda sentence: None)
    assert [result.sentence for result in found.failed] == []


def test_the_report_is_kept_as_evidence_of_its_artefact(project: Trained, report: SuiteReport) -> None:
    assert suite_of(project.work, project.definition.name, report.artefact) == report
    assert suite_of(project.work, project.definition.name, "0" * 64) is None


def test_without_a_name_the_recommended_candidate_is_meant(project: Trained) -> None:
    comparison = project.comparison
    meant = candidate_of(project.work, project.definition)
    wanted = (comparison.recommended, comparison.sliced, comparison.best)
    assert meant.candidate == next(name for name in wanted if name in comparison.artefacts)
    with pytest.raises(NotFound, match="There is no model forest in the newest comparison"):
        candidate_of(project.work, project.definition, "forest")


def test_a_model_of_other_columns_is_not_tested(project: Trained) -> None:
    plan = msgspec.structs.replace(project.definition.plan, fingerprint="another")
    other = msgspec.structs.replace(project.definition, plan=plan)
    with pytest.raises(EvidenceMissing, match="was trained for an earlier text of late_arrival"):
        prepare(project.work, other, candidate_of(project.work, project.definition, "linear"))


def test_a_comparison_that_is_not_kept_is_said(project: Trained) -> None:
    with pytest.raises(EvidenceMissing, match="cmp_gone that this model came of is not kept any more"):
        comparison_of(project.work, "late_arrival", "cmp_gone")


def test_the_tests_that_the_documentation_shows_hold_on_flights(project: Trained) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "test-a-model.md").read_text()
    shown: dict[str, Any] = {}
    exec(compile(page.partition("```python\n")[2].partition("```")[0], "model_tests.py", "exec"), shown)
    artefact = candidate_of(project.work, project.definition, "linear")
    model = TestedModel(prepare(project.work, project.definition, artefact))
    rule, held_out = (
        TestedRule(project.definition),
        held_out_rows(project.work, project.definition, artefact).to_pylist(),
    )
    assert isinstance(shown["limits"], Limits)
    shown["test_on_a_quiet_day_there_is_no_alert"](model)
    shown["test_the_airline_hardly_matters"](model, held_out)
    shown["test_a_much_longer_delay_before_never_makes_it_safer"](model, held_out)
    for origin in ("EWR", "JFK", "LGA"):
        shown["test_at_no_airport_it_falls_behind_the_rule"](model, rule, held_out, origin)
