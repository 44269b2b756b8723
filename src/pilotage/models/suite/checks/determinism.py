"""The same row gets the same answer: asked twice, alone or among others, in any order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotage.models.suite.judging import impossible
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Outputs, Refused, Subject

SINGLE_ROWS = 100
SEED = 7


def same_row_twice(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Everything asked again."""
    del limits
    wrong = impossible(subject, subject.answers)
    if wrong:
        yield Result("determinism", "", "FAIL", f"{wrong} on rows as they are.")
        return
    yield _apart(subject, "same row twice", subject.answers, subject.ask(subject.held_out), "when asked again")


def one_row_and_many(subject: Subject, limits: Limits) -> Iterator[Result]:
    """As the service asks, one by one, against all at once."""
    del limits
    rows = np.unique(np.linspace(0, subject.held_out.num_rows - 1, SINGLE_ROWS).astype(np.intp))
    asked = subject.held_out.take(rows).to_pylist()
    try:
        alone = np.array([subject.ask_alone(values) for values in asked])
    except Refused as refusal:
        yield Result("one row and many", "", "FAIL", f"Asked for a single row the model raises {refusal}.")
        return
    yield _apart(subject, "one row and many", subject.scores(subject.answers[rows]), alone, "when a row is asked alone")


def any_order(subject: Subject, limits: Limits) -> Iterator[Result]:
    """The rows in another order."""
    del limits
    order = np.random.default_rng(SEED).permutation(subject.held_out.num_rows)
    shuffled = subject.ask(subject.held_out.take(order))
    yield _apart(subject, "row order", subject.answers[order], shuffled, "when rows come in another order")


def _apart(subject: Subject, check: str, before: Outputs, after: Outputs, when: str) -> Result:
    difference = float(np.abs(before - after).max())
    held = difference <= subject.tolerance  # a NaN is not at or below anything
    sentence = f"Answers to {len(before):,} rows differ by at most {difference:.1e} {when}."
    return Result(check, "", "PASS" if held else "FAIL", sentence, difference, subject.tolerance)
