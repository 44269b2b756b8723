"""From the answers to a changed copy of the held-out rows to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilotage.models.suite.records import Outcome, Result
from pilotage.models.suite.subject import Outputs, Refused, Subject

if TYPE_CHECKING:
    import pyarrow as pa

SUM_MAX = 1e-6


def skipped(check: str, sentence: str, column: str = "") -> Result:
    """A check that does not apply, and why."""
    return Result(check, column, "SKIPPED", sentence)


def changed(
    subject: Subject, check: str, column: str, table: pa.Table, limit: float, when: str, breach: Outcome = "FAIL"
) -> Result:
    """Whether at most ``limit`` of the answers change ``when`` the held-out rows become these."""
    try:
        outputs = subject.ask(table)
    except Refused as refusal:
        return Result(check, column, "FAIL", f"{_of(column)}The model raises {when}: {refusal}.")
    wrong = impossible(subject, outputs)
    if wrong:
        return Result(check, column, "FAIL", f"{_of(column)}{wrong} {when}.")
    return share(subject, check, column, table, outputs, limit, when, breach)


def share(
    subject: Subject,
    check: str,
    column: str,
    table: pa.Table,
    outputs: Outputs,
    limit: float,
    when: str,
    breach: Outcome = "FAIL",
) -> Result:
    """The same, for answers that were asked for already."""
    otherwise = subject.changed(outputs)
    figure = float(otherwise.mean())
    example = None
    if otherwise.any():
        moved = np.abs(outputs - subject.answers).sum(axis=1)
        example = subject.example(int(np.argmax(np.where(otherwise, moved, -1.0))), table, outputs)
    sentence = f"{_of(column)}{figure:.1%} of {table.num_rows:,} answers change {when}; {limit:.1%} may."
    return Result(check, column, breach if figure > limit else "PASS", sentence, figure, limit, example)


def impossible(subject: Subject, outputs: Outputs) -> str:
    """What is wrong with outputs whatever the row; empty where nothing is."""
    if not np.isfinite(outputs).all():
        return "An answer is not a finite number"
    if subject.model.kind == "number":
        return ""
    if outputs.min() < 0 or outputs.max() > 1:
        return f"A probability lies outside of 0 to 1 ({outputs.min():.3g} to {outputs.max():.3g})"
    if subject.model.kind == "category" and np.abs(outputs.sum(axis=1) - 1).max() > SUM_MAX:
        return "The probabilities of the categories do not sum to 1"
    return ""


def _of(column: str) -> str:
    return f"{column}: " if column else ""
