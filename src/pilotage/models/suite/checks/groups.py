"""What must not matter: declared groups and personal columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import levels_of, with_one, with_values
from pilotage.models.suite.records import Limits, Outcome, Result
from pilotage.models.suite.subject import Refused, Subject
from pilotage.usecase.records import Column

LEVELS_MAX = 6
CHECK = "group"
SEED = 7


def swapped(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each such column that the model sees, every row with every frequent value; numbers and texts change places."""
    tested = [column for column in subject.columns if column.name in subject.groups | subject.personal]
    if not tested:
        yield judging.skipped(CHECK, "No input is a declared group or a personal column.")
    for column in tested:
        yield _swapped(subject, column, limits.group)


def _swapped(subject: Subject, column: Column, limit: float) -> Result:
    held, name = subject.held_out, column.name
    if column.kind == "category":
        copies = [with_one(held, name, level) for level in levels_of(subject.learnt, name)[:LEVELS_MAX]]
    elif column.kind == "flag":
        copies = [with_one(held, name, value) for value in (False, True)]
    else:
        copies = [with_values(held, name, held[name].take(np.random.default_rng(SEED).permutation(held.num_rows)))]
    try:
        answers = [subject.ask(copy) for copy in copies]
    except Refused as refusal:
        return Result(CHECK, name, "FAIL", f"{name}: The model raises when its value is another: {refusal}.")
    if not answers:
        return judging.skipped(CHECK, f"{name}: It has no value in training.", name)
    differs = np.array([subject.changed(outputs) for outputs in answers])
    figure = float(differs.any(axis=0).mean())
    worst = int(differs.sum(axis=1).argmax())
    shown = judging.share(subject, CHECK, name, copies[worst], answers[worst], limit, "")
    said = f"{name}: {figure:.1%} of {held.num_rows:,} answers hang on its value alone; {limit:.1%} may."
    breach: Outcome = "FAIL" if name in subject.protected else "WARN"
    return Result(CHECK, name, breach if figure > limit else "PASS", said, figure, limit, shown.example)
