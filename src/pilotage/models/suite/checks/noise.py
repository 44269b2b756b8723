"""Small disturbances: numbers off by a hundredth of what they vary should hardly ever change a decision."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import numbers_of, with_numbers
from pilotage.models.suite.known import Known
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

CHECK = "noise"
SEED = 7


def numbers_disturbed(subject: Subject, limits: Limits) -> Iterator[Result]:
    """All numbers at once, each by normal noise of its own size; of whole ones a few move to the next value."""
    columns = [column.name for column in subject.columns if column.kind == "number"]
    if not columns:
        yield judging.skipped(CHECK, "No input is a number.")
        return
    random, table = np.random.default_rng(SEED), subject.held_out
    for column in columns:
        known = Known.of(subject.learnt, column)
        noise = random.normal(0.0, 1.0, table.num_rows) * limits.noise_by * known.deviation
        table = with_numbers(table, column, known.disturbed(numbers_of(table, column), noise, random))
    when = f"when every number is disturbed by {limits.noise_by:.1%} of its standard deviation"
    yield judging.changed(subject, CHECK, "", table, limits.noise, when)
