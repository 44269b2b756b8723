"""Train and compare, on two months of real flights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from pilotage.data import flow as data
from pilotage.models import flow
from pilotage.models.tasks import TASKS
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from tests.models import flights
from tests.models.conftest import Trained


def quiet(sentence: str) -> None:
    """Nobody listens."""


def test_the_rule_and_every_candidate_are_measured_on_the_same_time(trained: Trained) -> None:
    comparison = trained.comparison
    assert [one.candidate for one in comparison.candidates] == ["rule", "logistic", "additive", "boosted"]
    assert comparison.rows_held_out > 2_000
    assert comparison.train_to < comparison.calibrate_to < comparison.held_out_to
    assert sum(one.rows for one in comparison.candidates[1].calibration) == comparison.rows_held_out


def test_the_models_know_more_than_the_rule(trained: Trained) -> None:
    rule, *models = trained.comparison.candidates
    assert all(one.auc.value > rule.auc.value + 0.05 for one in models)
    assert all(0.55 < one.auc.value < 0.9 for one in models)


def test_the_recommendation_is_one_of_those_measured_and_says_why(trained: Trained) -> None:
    comparison = trained.comparison
    assert comparison.recommended in {one.candidate for one in comparison.candidates}
    assert comparison.reason.startswith(("Use the", "Keep the rule"))
    assert "USD" in comparison.reason


def test_every_artefact_was_proved_on_the_whole_held_out_time_and_two_thousand_single_rows(trained: Trained) -> None:
    evidence = usecase.latest_evidence(trained.work, "late_arrival", "parity")
    assert evidence is not None
    assert evidence.body["comparison"] == trained.comparison.id
    for parity in evidence.body["candidates"]:
        assert parity["rows_batch"] == trained.comparison.rows_held_out
        assert parity["rows_single"] >= 2_000
        assert parity["flips"] == 0
        assert parity["difference_max"] <= 1e-9
        assert parity["passed"]


def test_the_newest_comparison_comes_back_as_it_was(trained: Trained) -> None:
    assert flow.latest_comparison(trained.work, "late_arrival") == trained.comparison
    assert flow.latest_comparison(trained.work, "another") is None


def test_each_step_is_told(trained: Trained) -> None:
    assert trained.said[0].startswith("Learning from ")
    assert trained.said[1].startswith("Not audited as it is now")
    assert [line.split(":")[0] for line in trained.said[2:]] == [one.title for one in TASKS["classify"]]


def test_the_file_that_answers_otherwise_than_what_was_trained_is_refused(
    trained: Trained, work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    logistic = TASKS["classify"][0]

    def forgetful(*given: object) -> object:
        learnt = logistic.train(*given)  # type: ignore[arg-type]
        own: Callable[[np.ndarray], np.ndarray] = learnt.margins
        return dataclasses.replace(learnt, margins=lambda rows: own(rows) + 0.5 * (rows[:, 0] == 3))

    monkeypatch.setitem(TASKS, "classify", (dataclasses.replace(logistic, train=forgetful),))
    said: list[str] = []
    training_set = flights.training_set(trained.rows)
    comparison = flow.compare_on(work, flights.definition(), training_set, trained.rows, said.append)
    assert [one.candidate for one in comparison.candidates] == ["rule"]
    assert comparison.artefacts == {}
    assert comparison.recommended == "rule"
    assert "refused" in said[-1]


def test_too_few_positive_outcomes_stop_training(trained: Trained) -> None:
    rows = trained.rows
    place = rows.schema.get_field_index("label")
    rows = rows.set_column(place, "label", pa.array([False] * rows.num_rows))
    with pytest.raises(EvidenceMissing, match="at least 50 positive outcomes; there are 0"):
        flow.compare_on(trained.work, trained.definition, flights.training_set(rows), rows, quiet)


def test_rows_without_any_outcome_stop_training(trained: Trained) -> None:
    rows = trained.rows
    place = rows.schema.get_field_index("label")
    rows = rows.set_column(place, "label", pa.nulls(rows.num_rows, pa.bool_()))
    with pytest.raises(EvidenceMissing, match="has an outcome"):
        flow.compare_on(trained.work, trained.definition, flights.training_set(trained.rows), rows, quiet)


def test_a_training_set_of_an_earlier_file_is_refused(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "latest_training_set", lambda work, use_case: flights.training_set(trained.rows))
    changed = msgspec.structs.replace(trained.definition, substance="another")
    with pytest.raises(EvidenceMissing, match="earlier text"):
        flow.train_and_compare(trained.work, changed, quiet)
