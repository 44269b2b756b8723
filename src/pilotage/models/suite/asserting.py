"""What the user's tests demand of a model; each raises an AssertionError that shows the worst row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pilotage.models.suite.asking import Answer, Row, TestedModel, TestedRule, label_of
from pilotage.models.suite.subject import unlike
from pilotage.usecase.records import Direction

Change = Callable[[Row], Row]
Where = Callable[[Row], bool]
_AGAINST_MAX = 1e-9


def assert_invariant(model: TestedModel, rows: Sequence[Row], change: Change, *, at_most: float = 0.0) -> None:
    """At most this share of the answers changes when ``change`` is made to each row.

    ``change`` returns what is put into the row: ``lambda row: {"carrier": row["carrier"].lower()}``.
    """
    rows = _some(rows)
    changed = [{**row, **change(row)} for row in rows]
    before, after = model.outputs(rows), model.outputs(changed)
    spread = model.subject.spread
    differs = unlike(model.kind, model.decisions(before), model.decisions(after), spread)
    if differs.mean() > at_most:
        worst = int(np.argmax(np.where(differs, np.abs(before - after).sum(axis=1), -1.0)))
        raise AssertionError(
            f"{differs.mean():.1%} of {len(rows):,} answers change; {at_most:.1%} may. "
            f"{model.subject.told(before[worst])} becomes {model.subject.told(after[worst])} "
            f"where {model.told(rows[worst])} becomes {model.told(changed[worst])}."
        )


def assert_direction(model: TestedModel, rows: Sequence[Row], column: str, way: Direction, *, by: float = 1.0) -> None:
    """With ``column`` larger by ``by``, all else equal, no prediction goes the other way (``rises`` or ``falls``)."""
    rows = [row for row in _some(rows) if row.get(column) is not None]
    _some(rows, f" with a value in {column}")
    before = model.outputs(rows)[:, 0]
    after = model.outputs([{**row, column: row[column] + by} for row in rows])[:, 0]
    against = (before - after) if way == "rises" else (after - before)
    wrong = against > _AGAINST_MAX
    if wrong.any():
        worst = int(against.argmax())
        raise AssertionError(
            f"The prediction should only have {'risen' if way == 'rises' else 'fallen'} with {column}; on "
            f"{wrong.sum():,} of {len(rows):,} rows it did not. From {before[worst]:.4g} to {after[worst]:.4g} "
            f"with {by:+g} where {model.told(rows[worst])}."
        )


def assert_answer(model: TestedModel, row: Row, expected: Answer | tuple[float, float]) -> None:
    """This row is answered so: ``positive`` or ``negative``, a category, or a number between two bounds."""
    answer = model.answers([row])[0]
    if isinstance(expected, tuple):
        held = isinstance(answer, float) and expected[0] <= answer <= expected[1]
        wanted = f"between {expected[0]:g} and {expected[1]:g}"
    else:
        held, wanted = answer == expected, str(expected)
    if not held:
        raise AssertionError(f"The answer should be {wanted} (got {answer}) where {model.told(row)}.")


def assert_right(
    model: TestedModel | TestedRule, rows: Sequence[Row], *, at_least: float, where: Where | None = None
) -> None:
    """On rows ``where`` this is true at least this share of the answers is right. ``rows`` come with their label."""
    share, count = _right(model, rows, where)
    if share < at_least:
        raise AssertionError(f"{share:.1%} of {count:,} answers are right; at least {at_least:.1%} should be.")


def assert_no_worse(
    model: TestedModel, rule: TestedRule, rows: Sequence[Row], *, where: Where | None = None, margin: float = 0.0
) -> None:
    """On rows ``where`` this is true the model is right as often as the rule, or less by ``margin`` at most."""
    mine, count = _right(model, rows, where)
    other, _ = _right(rule, rows, where)
    if mine < other - margin:
        raise AssertionError(
            f"On {count:,} rows the model is right in {mine:.1%}, the rule in {other:.1%}; "
            f"it should fall behind by {margin:.1%} at most."
        )


def _right(asked: TestedModel | TestedRule, rows: Sequence[Row], where: Where | None) -> tuple[float, int]:
    chosen = _some([row for row in rows if where is None or where(row)])
    answers, labels = asked.answers(chosen), [label_of(row["label"]) for row in chosen]
    if isinstance(labels[0], float):
        raise ValueError("A number is never quite right: compare model.outputs(rows) with the labels yourself.")
    return float(np.mean([answer == label for answer, label in zip(answers, labels, strict=True)])), len(chosen)


def _some(rows: Sequence[Row], which: str = "") -> Sequence[Row]:
    if not rows:
        raise AssertionError(f"There is no row{which} to test on: the test would pass whatever the model does.")
    return rows
