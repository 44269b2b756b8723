"""Empty columns: each alone, then all at once. The model still answers, and not otherwise for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.models.suite import judging
from pilotage.models.suite.changing import emptied
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject


def each_column(subject: Subject, limits: Limits) -> Iterator[Result]:
    """One column empty in every row."""
    for column in subject.columns:
        table = emptied(subject.held_out, [column.name])
        yield judging.changed(subject, "missing", column.name, table, limits.missing, "when it is empty", "WARN")


def all_columns(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Nothing known at all: an answer all the same, whichever."""
    del limits
    table = emptied(subject.held_out, [column.name for column in subject.columns])
    yield judging.changed(subject, "all missing", "", table, 1.0, "when nothing at all is known")
