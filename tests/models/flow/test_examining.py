"""One model looked at closely: more rows, fewer columns, groups of people, over time."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from pilotage.models import flow
from pilotage.models.families import LINEAR
from pilotage.models.flow import ablating, curving, examining
from pilotage.models.flow.memory import Peak
from pilotage.models.flow.retraining import retrained
from pilotage.models.flow.task import Task, task_of
from pilotage.models.rules import closer, column_groups
from pilotage.models.rules.paired import drawn
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Candidates, Definition, Fairness, Outcome, Policy, Rule, Value
from tests.models import flights
from tests.models.conftest import Trained


def quiet(sentence: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="session")
def task(rows: pa.Table) -> Task:
    return task_of(flights.definition(), flights.training_set(rows), rows)


def test_the_model_is_taught_by_the_newest_parts_and_judged_on_the_same_decisions(trained: Trained) -> None:
    comparison, found = trained.comparison, trained.comparison.learning
    assert found is not None
    assert found.candidate == comparison.sliced
    rows = [one.rows for one in found.parts]
    assert len(rows) == 4
    for part, share in zip(rows, (1 / 8, 1 / 4, 1 / 2, 1), strict=True):
        assert part == pytest.approx(share * comparison.rows_train, rel=0.02)
    whole = next(one for one in comparison.candidates if one.candidate == found.candidate)
    assert found.parts[-1].money == whole.money
    assert found.parts[-1].loss == whole.measures["log_loss"]
    assert found.parts[-1].measure == whole.measures["auc"]
    assert found.parts[-1].loss.value < found.parts[0].loss.value


def test_twice_as_many_rows_change_what_the_last_two_parts_differ_by(trained: Trained) -> None:
    found = trained.comparison.learning
    assert found is not None
    assert found.loss_less is not None
    assert found.money_more is not None
    doublings = np.log2(found.parts[-1].rows / found.parts[-2].rows)
    less = (found.parts[-2].loss.value - found.parts[-1].loss.value) / doublings
    assert found.loss_less.value == pytest.approx(less)
    assert found.money_more.low < found.money_more.value < found.money_more.high
    assert "twice as many decisions were worth" in closer.more_data(trained.comparison)


def test_parts_that_would_take_too_long_are_skipped_and_that_is_told(task: Task) -> None:
    whole = retrained(task, LINEAR, {})
    found = curving.learning(task, LINEAR, {}, whole, taken_seconds=100, allowed_seconds=13)
    assert [one.rows for one in found.parts] == [len(task.split.train) // 8, whole[1]]
    assert len(found.skipped) == 2
    none = curving.learning(task, LINEAR, {}, whole, taken_seconds=100, allowed_seconds=1)
    assert none.loss_less is None
    assert len(none.skipped) == 3


def test_without_a_source_the_model_is_taught_again_and_its_columns_are_never_seen(task: Task) -> None:
    whole = retrained(task, LINEAR, {})[0]
    found = ablating.retraining(task, LINEAR, {}, whole, taken_seconds=0.1, allowed_seconds=10)
    assert found is not None
    assert found.retrained
    assert [one.money.value for one in found.groups] == sorted((one.money.value for one in found.groups), reverse=True)
    weather = next(one for one in found.groups if one.name == "weather")
    place = task.rows.schema.get_field_index
    empty = task.rows
    for column in weather.columns:
        empty = empty.set_column(place(column), column, pa.nulls(empty.num_rows, pa.float64()))
    blind = dataclasses.replace(task, rows=empty, _encoded={})
    expected = drawn(task.judge, whole).minus(drawn(task.judge, retrained(blind, LINEAR, {})[0]))
    assert weather.loss.value == pytest.approx(expected.loss[0], abs=1e-4)
    assert weather.measure.value == pytest.approx(expected.measure[0], abs=2e-3)


def test_where_teaching_again_takes_too_long_values_are_exchanged(task: Task, trained: Trained) -> None:
    whole = retrained(task, LINEAR, {})[0]
    assert ablating.retraining(task, LINEAR, {}, whole, taken_seconds=5, allowed_seconds=10) is None
    digest = trained.comparison.artefacts["linear"]
    scorer = flow.load_artefact(trained.work, digest, flow.sign_artefact(trained.work, digest))
    found = ablating.exchanging(task, "linear", scorer, whole, whole.threshold)
    assert not found.retrained
    assert {one.name for one in found.groups} == {one.name for one in (trained.comparison.ablation or found).groups}
    arrivals = next(one for one in found.groups if one.name == "arrivals")
    assert arrivals.loss.high < 0
    assert arrivals.measure.low > 0
    assert "another one's values" in closer.how_ablated(found)


def test_a_column_that_the_model_cannot_use_costs_nothing(task: Task, trained: Trained) -> None:
    place = task.rows.schema.get_field_index("distance_miles")
    flat = task.rows.set_column(place, "distance_miles", pa.array([500.0] * task.rows.num_rows))
    blind = dataclasses.replace(task, rows=flat, _encoded={})
    whole = retrained(blind, LINEAR, {})[0]
    found = ablating.retraining(blind, LINEAR, {}, whole, taken_seconds=0.1, allowed_seconds=10)
    assert found is not None
    distance = next(one for one in found.groups if one.name == "distance_miles")
    assert distance.loss.value == pytest.approx(0, abs=1e-5)
    assert not closer.matters(distance)


def test_the_same_weeks_and_the_surest_are_in_the_comparison(trained: Trained) -> None:
    comparison = trained.comparison
    whole = next(one for one in comparison.candidates if one.candidate == comparison.sliced)
    assert comparison.surest[0].money == whole.money
    assert sum(one.rows for one in comparison.bands) == comparison.rows_held_out
    uncertain = next(one for one in comparison.bands if one.name == "uncertain")
    assert uncertain.rows / comparison.rows_held_out == pytest.approx(whole.review_share)


def test_learning_says_how_much_memory_it_took() -> None:
    peak = Peak()
    if peak.bytes() is None:
        pytest.skip("this system does not say how much memory a process uses")
    held = np.ones(20_000_000)
    taken = peak.bytes()
    assert taken is not None
    assert taken >= 0.95 * held.nbytes


def grouped_by_sex(rows: pa.Table, limit: Fairness | None) -> tuple[Definition, pa.Table]:
    """Flights whose outcome is easily told, and a sex that goes with it, perhaps with a limit."""
    planted = flights.planted(rows)
    random = np.random.default_rng(3)
    far = planted["distance_miles"].to_numpy() > flights.FAR_MILES
    sexes = np.where(random.random(len(far)) < np.where(far, 0.7, 0.4), "m", "f")
    definition = flights.definition()
    use_case = msgspec.structs.replace(
        definition.use_case, fairness=limit, groups=["sex"], candidates=Candidates(only=["linear"])
    )
    return msgspec.structs.replace(definition, use_case=use_case), planted.append_column("group_sex", pa.array(sexes))


def test_a_limit_that_the_recommended_model_surely_crosses_blocks_it(rows: pa.Table, work: Workspace) -> None:
    definition, planted = grouped_by_sex(rows, Fairness(by=["sex"], ratio=0.8))
    comparison = flow.compare_on(work, definition, flights.training_set(planted), planted, quiet)
    (found,) = comparison.fairness
    assert (found.column, found.lowest, found.highest, found.crossed) == ("sex", "f", "m", True)
    assert sum(one.rows for one in found.groups) == comparison.rows_held_out
    assert (comparison.verdict, comparison.recommended, comparison.best) == ("blocked", "rule", "linear")
    assert "crosses a declared limit. By sex: it acts on" in comparison.reason


def test_without_a_limit_groups_are_shown_and_nothing_is_blocked(rows: pa.Table, work: Workspace) -> None:
    definition, planted = grouped_by_sex(rows, None)
    comparison = flow.compare_on(work, definition, flights.training_set(planted), planted, quiet)
    (found,) = comparison.fairness
    assert (found.limit, found.crossed) == (None, False)
    assert found.ratio is not None
    assert (comparison.verdict, comparison.recommended) == ("pilot", "linear")


def test_a_training_set_without_the_groups_is_compared_without_them(trained: Trained, task: Task) -> None:
    use_case = msgspec.structs.replace(trained.definition.use_case, groups=["sex"])
    asked = dataclasses.replace(task, definition=msgspec.structs.replace(trained.definition, use_case=use_case))
    said = task.judge.told(task.answers("rule")[task.split.held_out], task.answers("rule")[task.split.calibrate])
    assert examining.grouped(asked, "linear", said, said) == ()


def test_a_number_is_looked_at_closely_too(delays: pa.Table, work: Workspace) -> None:
    definition = flights.definition()
    value = Value(currency="USD", too_low=-2, too_high=-1, review_minute=-1)
    use_case = msgspec.structs.replace(
        definition.use_case,
        outcome=Outcome(source="flights", number="arr_delay", unit="minutes", says="minutes late"),
        rule=Rule(number="aircraft_last_delay", says="as late as the aircraft was"),
        brief=msgspec.structs.replace(definition.use_case.brief, value=value),
        policy=Policy(),
        groups=["origin"],
        candidates=Candidates(only=["linear"]),
    )
    rows = delays.append_column("group_origin", delays["origin"])
    training_set = flights.training_set(delays)
    found = flow.compare_on(work, msgspec.structs.replace(definition, use_case=use_case), training_set, rows, quiet)
    whole = next(one for one in found.candidates if one.candidate == "linear")
    assert found.surest[0].right.value == pytest.approx(whole.measures["mean_absolute_error"].value)
    assert found.surest[3].right.value < found.surest[0].right.value
    assert found.bands == ()
    assert found.learning is not None
    assert found.learning.parts[-1].loss.value == pytest.approx(whole.measures["pinball"].value)
    (grouped,) = found.fairness
    assert (grouped.ratio, grouped.crossed) == (None, False)
    errors = sum(one.rows * one.measures["mean_absolute_error"].value for one in grouped.groups)
    assert errors / found.rows_held_out == pytest.approx(whole.measures["mean_absolute_error"].value)


def test_where_not_all_columns_can_be_tried_those_it_leans_on_most_are(
    task: Task, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = retrained(task, LINEAR, {})[0]
    digest = trained.comparison.artefacts["linear"]
    scorer = flow.load_artefact(trained.work, digest, flow.sign_artefact(trained.work, digest))
    order = column_groups.groups(task.definition.plan)
    most = ablating._leant_on(task, scorer, order, task.held_out)[0]
    last = {name: columns for name, columns in order.items() if name != most} | {most: order[most]}
    monkeypatch.setattr(column_groups, "groups", lambda plan: last)
    monkeypatch.setattr(ablating, "GROUPS_MAX", 2)
    found = ablating.exchanging(task, "linear", scorer, whole, whole.threshold)
    assert most in {one.name for one in found.groups}
    assert (len(found.groups), len(found.skipped)) == (2, len(order) - 2)
    assert min(one.loss.value for one in found.groups) < -0.001  # the model is surely worse without them
    assert f"Tried were the 2 on which it leans most: of all {len(order)}" in closer.how_ablated(found)
    assert "to 500 held-out decisions most. Not tried: " in closer.how_ablated(found)
