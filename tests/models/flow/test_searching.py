"""Better settings, looked for within a budget on folds of the training part."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pilotage.models import flow
from pilotage.models.families import BOOSTED, LINEAR, Candidate
from pilotage.models.families.candidate import Lesson, Trained
from pilotage.models.flow import searching
from pilotage.models.flow.part import part_of
from pilotage.models.flow.task import Task, task_of
from pilotage.models.rules import closer
from pilotage.models.rules.folds import Fold
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Candidates, Constraint, Definition
from tests.models import flights


def quiet(sentence: str) -> None:
    """Nobody listens."""


def budgeted(**candidates: Any) -> Definition:
    definition = flights.definition()
    use_case = msgspec.structs.replace(definition.use_case, candidates=Candidates(**candidates))
    return msgspec.structs.replace(definition, use_case=use_case)


@pytest.fixture(scope="session")
def task(rows: pa.Table) -> Task:
    return task_of(budgeted(budget="10 minutes"), flights.training_set(rows), rows)


def few(candidate: Candidate, *trials: dict[str, float]) -> Candidate:
    return dataclasses.replace(candidate, trials=trials)


def _weakened(lesson: Lesson) -> Lesson:
    """The family's own settings learn next to nothing."""
    return dataclasses.replace(lesson, settings={"strength": lesson.settings.get("strength", 1e-8)})


def test_without_a_budget_nothing_is_searched(rows: pa.Table) -> None:
    task = task_of(flights.definition(), flights.training_set(rows), rows)
    assert searching.search_all(task, [LINEAR], quiet) == {}


def test_the_settings_with_the_least_mean_loss_are_chosen_and_progress_is_told(rows: pa.Table) -> None:
    planted = flights.planted(rows)
    task = task_of(budgeted(budget="10 minutes"), flights.training_set(planted), planted)
    said: list[str] = []
    weak = dataclasses.replace(LINEAR, train=lambda lesson: LINEAR.train(_weakened(lesson)))
    found = searching.search_all(task, [few(weak, {"strength": 1e-9}, {"strength": 0.1})], said.append)["linear"]
    assert (found.known, found.folds, len(found.trials)) == (3, 3, 3)
    losses = [one.loss for one in found.trials]
    assert losses[2] < min(losses[:2])
    assert found.chosen == {"strength": 0.1}
    assert len(said) == 3
    assert said[1].startswith("Logistic regression: 2 of 3 settings tried, best log loss ")
    assert said[1].endswith(" of 10 minutes")


def test_early_stopping_says_how_many_trees_the_whole_training_part_is_given(task: Task) -> None:
    found = searching.search_all(task, [few(BOOSTED)], quiet)
    assert found == {}
    chosen = searching.search_all(task, [few(BOOSTED, {"rate": 0.3})], quiet)["boosted"]
    trees = [one.settings["trees"] for one in chosen.trials]
    assert trees[1] < trees[0] < 1_000


def test_of_equal_settings_the_first_is_chosen(task: Task) -> None:
    found = searching.search_all(task, [few(LINEAR, {"strength": 1.0}, {"strength": 1.0})], quiet)["linear"]
    assert found.trials[0].loss == found.trials[1].loss
    assert found.chosen == {}


def test_the_same_seed_finds_the_same(task: Task) -> None:
    again = task_of(task.definition, task.training_set, task.rows)
    one, other = (
        searching.search_all(each, [few(LINEAR, {"strength": 0.01})], quiet)["linear"] for each in (task, again)
    )
    assert [trial.loss for trial in one.trials] == [trial.loss for trial in other.trials]
    assert one.chosen == other.chosen


def test_calibration_and_held_out_rows_are_never_looked_at(task: Task) -> None:
    seen: list[float] = []
    marks = task.rows["distance_miles"].to_numpy().copy()
    known = np.concatenate([task.split.calibrate, task.split.held_out])
    marks[known] = 1e9
    place = task.rows.schema.get_field_index("distance_miles")
    marked = dataclasses.replace(task, rows=task.rows.set_column(place, "distance_miles", pa.array(marks)), _encoded={})

    def watching(lesson: Lesson) -> Trained:
        at = [slot.column for slot in lesson.slots].index("distance_miles")
        assert lesson.watched is not None
        seen.extend([lesson.rows.slots[:, at].max(), lesson.watched[0].slots[:, at].max()])
        trained = LINEAR.train(lesson)

        def margins(rows: Any) -> Any:
            seen.append(rows.slots[:, at].max())
            return trained.margins(rows)

        return dataclasses.replace(trained, margins=margins)

    candidate = dataclasses.replace(LINEAR, train=watching, trials=({"strength": 0.1},))
    searching.search_all(marked, [candidate], quiet)
    assert len(seen) == 2 * 3 * 4
    assert max(seen) < 10_000


def ticking(step: float) -> Iterator[float]:
    return (step * number for number in count())


def test_the_budget_ends_the_search_and_a_setting_that_was_not_finished_does_not_count(task: Task) -> None:
    clock, said = ticking(20.0), []
    candidate = few(LINEAR, {"strength": 0.1}, {"strength": 10.0}, {"strength": 0.01}, {"strength": 100.0})
    found = searching.search_all(task, [candidate], said.append, lambda: next(clock))["linear"]
    assert 0 < len(found.trials) < found.known == 5
    assert found.seconds <= found.budget_seconds == 600
    assert said[-1].endswith("settings were not tried: their time was over.")


def test_what_one_family_leaves_of_its_share_the_next_one_has(task: Task) -> None:
    clock = ticking(10.0)
    linear, boosted = few(LINEAR, {"strength": 0.1}), few(BOOSTED, {"leaves": 7.0})
    found = searching.search_all(task, [linear, boosted], quiet, lambda: next(clock))
    assert found["linear"].seconds < 300
    assert len(found["boosted"].trials) == 2


def test_a_training_part_that_cannot_be_parted_is_not_searched(task: Task) -> None:
    split = dataclasses.replace(task.split, train=task.split.train[:150])
    said: list[str] = []
    small = dataclasses.replace(task, split=split, _encoded={})
    found = searching.search_all(small, [few(LINEAR, {"strength": 0.1})], said.append)["linear"]
    assert (found.folds, found.trials, found.chosen) == (0, (), {})
    assert "too small to be parted" in said[0]


def test_the_comparison_and_the_manifest_say_what_was_chosen(rows: pa.Table, work: Workspace) -> None:
    definition = budgeted(budget="10 minutes", only=["linear"])
    comparison = flow.compare_on(work, definition, flights.training_set(rows), rows, quiet)
    (found,) = comparison.searches
    assert len(found.trials) == found.known == 5
    digest = comparison.artefacts["linear"]
    scorer = flow.load_artefact(work, digest, flow.sign_artefact(work, digest))
    assert float(scorer.manifest.parameters["C"]) == found.chosen.get("strength", 1.0)
    assert closer.searched(comparison, found).startswith(
        "Logistic regression: 5 of 5 settings tried on 3 folds of the training part"
    )


def test_without_a_clock_people_are_dealt_out_to_the_folds(task: Task) -> None:
    unclocked = dataclasses.replace(task, split=dataclasses.replace(task.split, clocked=False), _encoded={})
    found = searching.search_all(unclocked, [few(LINEAR, {"strength": 0.01})], quiet)["linear"]
    timed = searching.search_all(task, [few(LINEAR, {"strength": 0.01})], quiet)["linear"]
    assert found.folds == 3
    assert found.trials[0].loss != timed.trials[0].loss


def test_a_part_counts_cases_a_day_as_the_whole_does(rows: pa.Table) -> None:
    """Every second outcome is unknown: half of the cases of a day are seen in calibrating."""
    known = pa.array(np.arange(rows.num_rows) % 2 == 0)
    label = pc.if_else(known, rows["label"], pa.scalar(None, pa.bool_()))
    rows = rows.set_column(rows.column_names.index("label"), "label", label)
    definition = budgeted()
    policy = msgspec.structs.replace(definition.use_case.policy, threshold=Constraint(a_day=5))
    use_case = msgspec.structs.replace(definition.use_case, policy=policy)
    task = task_of(msgspec.structs.replace(definition, use_case=use_case), flights.training_set(rows), rows)
    assert 0.4 < task.share < 0.6
    split = task.split
    part = part_of(task, Fold(split.train[len(split.train) // 2 :], split.calibrate, split.held_out))
    outputs = np.random.default_rng(1).random((len(split.calibrate), 1))
    assert part.judge.threshold(outputs) == task.judge.threshold(outputs)
