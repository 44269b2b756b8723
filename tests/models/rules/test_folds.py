"""Folds inside the training part."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from pilotage.models.rules import folds

DAYS = np.repeat(np.arange(16_000, 16_100), 7)
ROWS = len(DAYS)
TRAIN = np.arange(600)
ALONE = np.arange(ROWS)


def test_every_fold_is_taught_by_older_rows_than_those_that_watch_and_judge() -> None:
    found = folds.by_time(TRAIN, DAYS, ALONE, timedelta(0))
    assert len(found) == 3
    for fold in found:
        assert DAYS[fold.learn].max() < DAYS[fold.watch].min()
        assert DAYS[fold.watch].max() < DAYS[fold.judge].min()
    assert len(found[0].learn) < len(found[1].learn) < len(found[2].learn)
    judged = np.concatenate([fold.judge for fold in found])
    assert len(np.unique(judged)) == len(judged)
    assert max(np.concatenate([fold.learn, fold.watch, fold.judge]).max() for fold in found) < len(TRAIN)


def test_rows_whose_outcome_was_not_known_then_are_left_out() -> None:
    near = folds.by_time(TRAIN, DAYS, ALONE, timedelta(0))
    far = folds.by_time(TRAIN, DAYS, ALONE, timedelta(days=3))
    for before, after in zip(near, far, strict=True):
        assert DAYS[before.watch].min() - DAYS[after.learn].max() == 4
        assert DAYS[before.watch].min() - DAYS[before.learn].max() == 1


def test_nobody_is_judged_who_was_learnt_from() -> None:
    people = np.random.default_rng(1).integers(0, 90, ROWS)
    for fold in folds.by_time(TRAIN, DAYS, people, timedelta(0)):
        known = people[np.concatenate([fold.learn, fold.watch])]
        assert not np.isin(people[fold.judge], known).any()
        assert not np.isin(people[fold.watch], people[fold.learn]).any()


@pytest.mark.parametrize("seed", [1, 2])
def test_without_a_clock_entities_are_dealt_out_whole(seed: int) -> None:
    people = np.random.default_rng(3).integers(0, 150, ROWS)
    found = folds.by_entity(TRAIN, people, np.random.default_rng(seed))
    again = folds.by_entity(TRAIN, people, np.random.default_rng(seed))
    assert len(found) == 3
    for fold, same in zip(found, again, strict=True):
        assert not np.isin(people[fold.judge], people[fold.learn]).any()
        assert not np.isin(people[fold.watch], people[fold.judge]).any()
        assert np.array_equal(fold.judge, same.judge)
        assert sorted([*fold.learn, *fold.watch, *fold.judge]) == list(TRAIN)
