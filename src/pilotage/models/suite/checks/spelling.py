"""Capitals and blanks: one level written in two ways is one level, where the training set does not say otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from pilotage.models.suite import judging
from pilotage.models.suite.changing import texts_of, with_values
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

CHECK = "spelling"
ROWS_MIN = 30
SURELY_UNLIKE = 3.0
"""Two spellings whose mean outcomes lie so many standard errors apart may be two things."""


def levels(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Each category that training has in several spellings of one level, with the same outcomes: they change places."""
    for column in (column.name for column in subject.columns if column.kind == "category"):
        others = _other_spellings(subject, column)
        if not others:
            yield judging.skipped(CHECK, f"{column}: No level is written in several ways that end alike.", column)
            continue
        yield _respelt(subject, column, others, limits.spelling)


def texts(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Free text with blanks around it must say the same; in capitals it should."""
    import pyarrow.compute as pc

    for column in (column.name for column in subject.columns if column.kind == "text"):
        given = texts_of(subject.held_out, column)
        padded = with_values(subject.held_out, column, pc.binary_join_element_wise("  ", given, " \n", ""))
        when = "when blanks surround the text"
        yield judging.changed(subject, "blanks", column, padded, limits.spelling, when)
        raised = with_values(subject.held_out, column, pc.utf8_upper(given))
        when = "when the text is in capitals"
        yield judging.changed(subject, "capitals", column, raised, limits.spelling, when, "WARN")


def _respelt(subject: Subject, column: str, others: Mapping[str, str], limit: float) -> Result:
    import pyarrow as pa

    given = texts_of(subject.held_out, column).to_pylist()
    changed = pa.array([others.get(value, value) for value in given], pa.string())
    when = f"when {len(others)} of its spellings change places with their like"
    return judging.changed(subject, CHECK, column, with_values(subject.held_out, column, changed), limit, when)


def _other_spellings(subject: Subject, column: str) -> dict[str, str]:
    """Each spelling → another one of the same level, both frequent enough and not surely of another outcome."""
    given = texts_of(subject.learnt, column).to_pylist()
    outcome = _as_numbers(subject.learnt["label"].to_pylist())
    rows: dict[str, list[int]] = defaultdict(list)
    for row, value in enumerate(given):
        if value is not None:
            rows[value].append(row)
    alike: dict[str, list[str]] = defaultdict(list)
    for value in sorted(rows, key=lambda value: (-len(rows[value]), value)):
        if len(rows[value]) >= ROWS_MIN:
            alike[" ".join(value.casefold().split())].append(value)
    found: dict[str, str] = {}
    for spellings in alike.values():
        for one, other in zip(spellings[1:], spellings, strict=False):
            if not _surely_unlike(outcome[rows[one]], outcome[rows[other]]):
                found[one], found[other] = other, one
    return found


def _as_numbers(labels: list[object]) -> np.ndarray:
    """Flags and numbers as they are; of categories whether it is the most frequent one."""
    if labels and isinstance(labels[0], str):
        most = max(set(labels), key=lambda one: (labels.count(one), str(one)))
        return np.array([label == most for label in labels], dtype=np.float64)
    return np.array(labels, dtype=np.float64)


def _surely_unlike(one: np.ndarray, other: np.ndarray) -> bool:
    error = np.sqrt(one.var() / len(one) + other.var() / len(other))
    return bool(abs(one.mean() - other.mean()) > SURELY_UNLIKE * error)
