"""Levels that training never saw: the model still answers, and not otherwise for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.models.suite import judging
from pilotage.models.suite.changing import with_one
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

CHECK = "unseen"
LEVEL = "a level that nobody ever saw"


def new_level(subject: Subject, limits: Limits) -> Iterator[Result]:
    """One category with a new level in every row."""
    columns = [column.name for column in subject.columns if column.kind == "category"]
    if not columns:
        yield judging.skipped(CHECK, "No input is a category.")
    for column in columns:
        table = with_one(subject.held_out, column, LEVEL)
        yield judging.changed(subject, CHECK, column, table, limits.unseen, "when its level is new", "WARN")
