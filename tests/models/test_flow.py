"""Train and compare, on two months of real flights."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from pilotage.data import flow as data
from pilotage.models import flow
from pilotage.models.families import FAMILIES
from pilotage.models.families.candidate import Lesson
from pilotage.models.families.candidate import Trained as Learnt
from pilotage.models.flow import comparing
from pilotage.models.flow.task import task_of
from pilotage.models.inputs import Rows
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Candidates, Human
from tests.models import flights
from tests.models.conftest import Trained


def quiet(sentence: str) -> None:
    """Nobody listens."""


def test_the_rule_and_every_candidate_are_measured_on_the_same_time(trained: Trained) -> None:
    comparison = trained.comparison
    assert [one.candidate for one in comparison.candidates] == ["rule", "linear", "additive", "boosted"]
    assert comparison.rows_held_out > 2_000
    assert comparison.train_to < comparison.calibrate_to < comparison.held_out_to
    assert sum(one.rows for one in comparison.candidates[1].calibration) == comparison.rows_held_out


def test_the_models_know_more_than_the_rule(trained: Trained) -> None:
    rule, *models = trained.comparison.candidates
    assert all(one.measures["auc"].value > rule.measures["auc"].value + 0.05 for one in models)
    assert all(0.55 < one.measures["auc"].value < 0.9 for one in models)


def test_the_recommendation_is_one_of_those_measured_and_says_why(trained: Trained) -> None:
    comparison = trained.comparison
    assert comparison.recommended in {one.candidate for one in comparison.candidates}
    assert comparison.reason.startswith(("Use the", "Keep the rule", "Not enough evidence"))
    assert (comparison.recommended == "rule") == (comparison.verdict != "pilot")
    assert "USD" in comparison.reason


def test_always_the_same_is_measured_on_the_same_rows(trained: Trained) -> None:
    same = {one.name: one for one in trained.comparison.trivial}
    assert set(same) == {"always", "never", "base_rate", "last_value"}
    labels = trained.rows["label"].drop_null().to_numpy(zero_copy_only=False)
    held_out = labels[-trained.comparison.rows_held_out :].mean()
    assert same["never"].money.value == 0
    assert same["always"].money.value == pytest.approx(1000 * (180 * held_out - 60 * (1 - held_out)))
    loss = same["base_rate"].loss
    assert loss is not None
    assert all(one.lost < loss.value for one in trained.comparison.candidates[1:])


def test_every_model_is_held_against_the_rule_on_the_same_days(trained: Trained) -> None:
    comparison = trained.comparison
    rule, *models = comparison.candidates
    assert [one.candidate for one in comparison.differences] == [one.candidate for one in models]
    for one, difference in zip(models, comparison.differences, strict=True):
        assert difference.money.value == pytest.approx(one.money.value - rule.money.value)
        assert 0 < difference.p <= difference.p_family <= 1


def test_every_category_is_measured_value_by_value_beside_the_rule(trained: Trained) -> None:
    comparison = trained.comparison
    assert comparison.sliced is not None
    assert {"origin", "carrier"} <= {one.column for one in comparison.slices}
    origins = [one for one in comparison.slices if one.column == "origin"]
    assert {one.value for one in origins} == {"EWR", "JFK", "LGA"}
    assert sum(one.rows for one in origins) == comparison.rows_held_out
    whole = next(one for one in comparison.differences if one.candidate == comparison.sliced)
    parts = sum(one.difference.value * one.rows for one in origins) / comparison.rows_held_out
    assert parts == pytest.approx(whole.money.value)
    assert comparison.slices_left_out > 0


def test_a_personal_column_is_no_slice_unless_it_is_a_declared_group(trained: Trained, work: Workspace) -> None:
    definition, plan = trained.definition, trained.definition.plan
    request = plan.request | {"origin": msgspec.structs.replace(plan.request["origin"], personal=True)}
    hidden = msgspec.structs.replace(definition, plan=msgspec.structs.replace(plan, request=request))
    use_case = msgspec.structs.replace(definition.use_case, groups=["origin"])
    declared = msgspec.structs.replace(hidden, use_case=use_case)
    task = task_of(hidden, flights.training_set(trained.rows), trained.rows)
    assert "origin" not in dict(comparing._slicing(task))
    assert "origin" in dict(comparing._slicing(dataclasses.replace(task, definition=declared)))


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
    families = [one.titles["flag"] for one in FAMILIES]
    assert [line.split(":")[0] for line in trained.said[2:]][: len(families)] == families


def test_the_file_that_answers_otherwise_than_what_was_trained_is_refused(
    trained: Trained, work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = FAMILIES[0]

    def forgetful(lesson: Lesson) -> Learnt:
        learnt = linear.train(lesson)

        def other(rows: Rows) -> np.ndarray:
            return learnt.margins(rows) + 0.5 * (rows.slots[:, :1] == 3)

        return dataclasses.replace(learnt, margins=other)

    monkeypatch.setattr(comparing, "FAMILIES", (dataclasses.replace(linear, train=forgetful),))
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


def test_what_people_decided_is_a_candidate_like_any_other(trained: Trained, work: Workspace) -> None:
    """The planners of this test act where the aircraft before was very late; they know nothing else."""
    definition, rows = trained.definition, trained.rows
    human = Human(source="flights", decided="aircraft_last_delay > 60", says="what planners did")
    only = Candidates(only=["linear"])
    asked = msgspec.structs.replace(definition.use_case, human=human, candidates=only)
    decided = pa.array([None if delay is None else delay > 60 for delay in rows["aircraft_last_delay"].to_pylist()])
    rows = rows.append_column("human", decided)
    comparison = flow.compare_on(
        work, msgspec.structs.replace(definition, use_case=asked), flights.training_set(rows), rows, quiet
    )
    assert [one.candidate for one in comparison.candidates] == ["rule", "human", "linear"]
    assert [one.candidate for one in comparison.differences] == ["human", "linear"]
    human_alerts = comparison.candidates[1].alerts_share
    assert human_alerts is not None
    assert 0 < human_alerts < comparison.candidates[0].alerts_share
    assert "human" not in comparison.artefacts
    assert comparison.recommended != "human"
