"""Values that nobody meant: a million times too large, infinite, the year 9999, a text without end, an emoji."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import emptied, numbers_of, with_numbers, with_one, with_values
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Outputs, Refused, Subject

if TYPE_CHECKING:
    import pyarrow as pa

CHECK = "strange values"
TIMES = 1e6
ROWS_MAX = 200
TEXTS = {
    "an empty text": "",
    "blanks": "   ",
    "an emoji": "🛫🇩🇪👩‍👩‍👧",
    "a very long text": "sehr lang " * 10_000,
    "markup": "<script>alert(1)</script>'; DROP TABLE flights; --",
    "control characters": "a\x00b\x1b[31m\u202e",
}
DATES = {
    "the year 1": datetime(1, 1, 2, tzinfo=UTC),
    "the year 1900": datetime(1900, 1, 1, tzinfo=UTC),
    "the year 9999": datetime(9999, 12, 30, tzinfo=UTC),
}


def in_numbers(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each number a million times too large, negative, nought; an infinite one must count as missing."""
    few = subject.held_out.slice(0, ROWS_MAX)
    for column in (column.name for column in subject.columns if column.kind == "number"):
        values = numbers_of(few, column)
        changes = {
            "a million times too large": with_numbers(few, column, values * TIMES),
            "negative": with_numbers(few, column, -np.abs(values) - 1.0),
            "a million times too small": with_numbers(few, column, -np.abs(values) * TIMES),
            "nought": with_numbers(few, column, np.zeros(len(values))),
        }
        yield _infinite(subject, few, column) or _all(subject, column, changes, limits)


def in_texts(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each category and each free text."""
    few = subject.held_out.slice(0, ROWS_MAX)
    for column in (column.name for column in subject.columns if column.kind in ("category", "text")):
        yield _all(subject, column, {name: with_one(few, column, text) for name, text in TEXTS.items()}, limits)


def in_dates(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each datetime."""
    import pyarrow as pa

    few = subject.held_out.slice(0, ROWS_MAX)
    for column in (column.name for column in subject.columns if column.kind == "datetime"):
        kind = few[column].type
        changes = {}
        for name, date in DATES.items():
            given = date if getattr(kind, "tz", None) else date.replace(tzinfo=None)
            changes[name] = with_values(few, column, pa.array([given] * few.num_rows, pa.timestamp("us", kind.tz)))
        yield _all(subject, column, changes, limits)


def _infinite(subject: Subject, few: pa.Table, column: str) -> Result | None:
    """The result where an infinite number is not answered as a missing one."""
    try:
        missing = subject.ask(emptied(few, [column]))
        for name, value in (("infinite", np.inf), ("minus infinite", -np.inf)):
            infinite = subject.ask(with_numbers(few, column, np.full(few.num_rows, value)))
            if not np.array_equal(infinite, missing):
                said = f"{column}: a number that is {name} is not answered as a missing one."
                return Result(CHECK, column, "FAIL", said)
    except Refused as refusal:
        return Result(CHECK, column, "FAIL", f"{column}: The model raises when it is infinite: {refusal}.")
    return None


def _all(subject: Subject, column: str, changes: dict[str, pa.Table], limits: Limits) -> Result:
    """An answer to each, at once and one by one, and none that cannot be."""
    for name, table in changes.items():
        try:
            outputs = subject.ask(table)
            alone = subject.ask_alone(table.slice(0, 1).to_pylist()[0])
        except Refused as refusal:
            return Result(CHECK, column, "FAIL", f"{column}: The model raises on {name}: {refusal}.")
        wrong = judging.impossible(subject, outputs)
        if not wrong and not np.isfinite(alone):
            wrong = "asked for a single row, its answer is not a finite number"
        if wrong:
            return Result(CHECK, column, "FAIL", f"{column}: {wrong} on {name}.")
        far = _beyond(subject, outputs, limits.outcomes_beyond)
        if far is not None:
            worst = subject.example(far, table, outputs)
            said = f"{column}: on {name} the prediction is {worst.after}, far from any outcome that there was."
            return Result(CHECK, column, "WARN", said, float(outputs[far, 0]), None, worst)
    return Result(CHECK, column, "PASS", f"{column}: answered on {', '.join(changes)}.")


def _beyond(subject: Subject, outputs: Outputs, times: float) -> int | None:
    """The row whose predicted number lies farthest outside of all outcomes, where that is too far."""
    if subject.model.kind != "number":
        return None
    known = numbers_of(subject.learnt, "label")
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    outside = np.maximum(low - outputs[:, 0], outputs[:, 0] - high)
    worst = int(outside.argmax())
    return worst if outside[worst] > times * max(high - low, 1e-12) else None
