"""Shifted copies: how much of what is decided hangs on a column staying as it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import levels_of, numbers_of, texts_of, with_numbers, with_values
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

CHECK = "drift"


def numbers_shifted(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each number larger by half a standard deviation of training, in every row."""
    for column in (column.name for column in subject.columns if column.kind == "number"):
        by = limits.drift_by * deviation(subject, column)
        if by == 0:
            yield judging.skipped(CHECK, f"{column}: It has one value only in training.", column)
            continue
        table = with_numbers(subject.held_out, column, numbers_of(subject.held_out, column) + by)
        yield judging.changed(subject, CHECK, column, table, limits.drift, f"when it is larger by {by:.4g}", "WARN")


def level_replaced(subject: Subject, limits: Limits) -> Iterator[Result]:
    """The most frequent level of each category gives way to the second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in (column.name for column in subject.columns if column.kind == "category"):
        levels = levels_of(subject.learnt, column)
        if len(levels) < 2:
            yield judging.skipped(CHECK, f"{column}: It has one level only in training.", column)
            continue
        given = texts_of(subject.held_out, column)
        put = pc.if_else(pc.equal(given, levels[0]), pa.scalar(levels[1]), given)
        shown = (f"“{level[:40]}”" for level in levels[:2])
        when = "when its most frequent level gives way to the second"
        if column not in subject.personal:
            when = "when {} gives way to {}".format(*shown)
        yield judging.changed(
            subject, CHECK, column, with_values(subject.held_out, column, put), limits.drift, when, "WARN"
        )


def deviation(subject: Subject, column: str) -> float:
    """The standard deviation of a number in training; 0 where it has one value or none."""
    values = numbers_of(subject.learnt, column)
    values = values[np.isfinite(values)]
    return float(values.std()) if len(values) else 0.0
