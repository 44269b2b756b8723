"""Shifted copies: how much of what is decided hangs on a column staying as it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import levels_of, numbers_of, texts_of, with_numbers, with_values
from pilotage.models.suite.known import Known
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

CHECK = "drift"
SEED = 7


def numbers_shifted(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each number larger by half a standard deviation of training, in every row."""
    held, random = subject.held_out, np.random.default_rng(SEED)
    for column in (column.name for column in subject.columns if column.kind == "number"):
        known = Known.of(subject.learnt, column)
        by = limits.drift_by * known.deviation
        if by == 0:
            yield judging.skipped(CHECK, f"{column}: It has one value only in training.", column)
            continue
        table = with_numbers(held, column, known.shifted(numbers_of(held, column), by, random))
        yield judging.changed(
            subject, CHECK, column, table, limits.drift, _when(known, by, column in subject.personal), "WARN"
        )


def _when(known: Known, by: float, personal: bool) -> str:
    """What was done to the numbers. Whole ones cannot all be larger by a part of one: some of them move to the next."""
    on_average = " on average, in whole values that training has" if known.steps is not None else ""
    ends = (known.ends_above or known.steps is not None) and not personal
    end = f", up to {known.high:.6g} at most" if ends else ""
    return f"when it is larger by {by:.4g}{on_average}{end}"


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
