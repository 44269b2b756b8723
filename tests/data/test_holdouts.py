"""Every judgement on a held-out period is entered, so that one can see how often it was looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pilotage.data import flow, store
from pilotage.data.records import TrainingSet
from pilotage.data.rules.holdouts import ordinal, times_judged_said
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.shop import shop


@pytest.fixture
def built(work: Workspace, shop_path: Path) -> TrainingSet:
    flow.sync(work, shop())
    return flow.build(work, shop())


def day(number: int) -> datetime:
    return DAY + timedelta(days=number)


def judged(work: Workspace, built: TrainingSet, comparison: str, held_from: int, held_to: int) -> int:
    held = (day(held_from), day(held_to))
    return flow.note_holdout_use(work, built, comparison, day(held_from - 3), held, "Pilotage")


@pytest.mark.both_stores
def test_each_look_at_a_period_is_counted(work: Workspace, built: TrainingSet) -> None:
    assert [judged(work, built, f"cmp_{n}", 10, 20) for n in range(4)] == [1, 2, 3, 4]
    assert [flow.times_judged(work, f"cmp_{n}") for n in range(4)] == [1, 2, 3, 4], "also afterwards"


def test_a_period_that_shares_days_counts_and_one_that_only_touches_it_does_not(
    work: Workspace, built: TrainingSet
) -> None:
    assert judged(work, built, "cmp_1", 10, 20) == 1
    assert judged(work, built, "cmp_2", 20, 30) == 1
    assert judged(work, built, "cmp_3", 5, 11) == 2
    assert judged(work, built, "cmp_4", 19, 21) == 3


def test_another_use_case_has_a_count_of_its_own(work: Workspace, built: TrainingSet) -> None:
    judged(work, built, "cmp_1", 10, 20)
    assert judged(work, msgspec.structs.replace(built, use_case="other"), "cmp_2", 10, 20) == 1


def test_a_comparison_is_entered_once_with_who_when_and_on_what(
    work: Workspace, built: TrainingSet, clock: FixedClock
) -> None:
    first = clock.now()
    judged(work, built, "cmp_1", 10, 20)
    clock.advance(timedelta(hours=1))
    assert judged(work, built, "cmp_1", 10, 20) == 1
    with work.database.reading() as connection:
        uses = store.holdout_uses_within(connection, "returns", day(0), day(99))
    assert [(use.training_set, use.by, use.made_at, use.train_to) for use in uses] == [
        (built.id, "Pilotage", first, day(7))
    ]


def test_a_comparison_from_before_there_was_a_ledger_has_no_count(work: Workspace) -> None:
    assert flow.times_judged(work, "cmp_unknown") == 0


def test_it_is_said_in_words() -> None:
    assert times_judged_said(1) == "Judged for the first time on this period."
    assert times_judged_said(4) == "Judged for the 4th time on this period or a part of it."
    assert "wait for newer outcomes" in times_judged_said(5)
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
    )
