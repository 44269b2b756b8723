"""What every model is tested for, without any configuration: one subject per module, one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pilotage.models.suite.checks import (
    determinism,
    direction,
    drift,
    groups,
    missing,
    noise,
    slices,
    spelling,
    strange_values,
    unseen,
)
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

Check = Callable[[Subject, Limits], Iterator[Result]]

CHECKS: tuple[Check, ...] = (
    determinism.same_row_twice,
    determinism.one_row_and_many,
    determinism.any_order,
    groups.swapped,
    spelling.levels,
    spelling.texts,
    direction.declared,
    slices.against_the_rule,
    missing.each_column,
    missing.all_columns,
    unseen.new_level,
    strange_values.in_numbers,
    strange_values.in_texts,
    strange_values.in_dates,
    drift.numbers_shifted,
    drift.level_replaced,
    noise.numbers_disturbed,
)
