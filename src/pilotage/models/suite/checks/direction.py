"""Directions that the file declares: all else equal, the prediction only rises, or only falls, with an input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import numbers_of, with_numbers
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Refused, Subject
from pilotage.usecase.records import Direction

CHECK = "direction"
STEPS = 12
AGAINST_MAX = 1e-9


def declared(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each input under ``candidates.monotone``."""
    del limits
    directions = subject.definition.use_case.candidates.monotone
    if not directions:
        yield judging.skipped(CHECK, "The file declares no direction (candidates.monotone).")
    for column, way in directions.items():
        yield along(subject, column, way)


def along(subject: Subject, column: str, way: Direction) -> Result:
    """Held-out rows with the column at growing values, from the least to the greatest in training."""
    if subject.model.kind == "category":
        return judging.skipped(CHECK, f"{column}: A category has no direction.", column)
    steps = _steps(subject, column)
    held, sign = subject.held_out, 1.0 if way == "rises" else -1.0
    if len(steps) < 2:
        return judging.skipped(CHECK, f"{column}: It has one value only in training.", column)
    copies = [with_numbers(held, column, np.full(held.num_rows, step)) for step in steps]
    try:
        answers = np.array([subject.ask(copy)[:, 0] for copy in copies])
    except Refused as refusal:
        return Result(CHECK, column, "FAIL", f"{column}: The model raises when it changes: {refusal}.")
    against = -sign * np.diff(answers, axis=0)
    figure = float((against.max(axis=0) > AGAINST_MAX).mean())
    said = f"{column}: the prediction {way} with it on {1 - figure:.1%} of {held.num_rows:,} rows; on all it must."
    if figure == 0:
        return Result(CHECK, column, "PASS", said, figure, 0.0)
    step, row = np.unravel_index(int(against.argmax()), against.shape)
    example = subject.example(int(row), copies[step + 1], subject.ask(copies[step + 1]))
    said += (
        f" At {steps[step]:.6g} it is {answers[step, row]:.4g}, at {steps[step + 1]:.6g} {answers[step + 1, row]:.4g}."
    )
    return Result(CHECK, column, "FAIL", said, figure, 0.0, example)


def _steps(subject: Subject, column: str) -> list[float]:
    values = numbers_of(subject.learnt, column)
    values = values[np.isfinite(values)]
    if not len(values):
        return []
    return [float(step) for step in np.unique(np.quantile(values, np.linspace(0, 1, STEPS)))]
