"""Checks of how people review: expressions over the columns of a decision, shares, spans of time."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.usecase.records import ColumnKind, UseCase, seconds
from pilotage.usecase.rules import expansion
from pilotage.usecase.rules.expressed import expression
from pilotage.usecase.rules.places import Mistake


def check_reviewing(use_case: UseCase) -> Iterator[Mistake]:
    """What the part ``review`` asks of reviewers can be asked."""
    review = use_case.review
    if not review.reasons:
        yield Mistake(("review", "reasons"), "There is no reason to choose from.", "Give at least one.")
    if seconds(review.falls_back) <= seconds(review.deadline):
        message = f"falls_back ({review.falls_back}) is not after the deadline ({review.deadline})."
        yield Mistake(("review", "falls_back"), message, "Leave people the time between the two.")
    samples = review.samples
    if samples.random + samples.blind > 1:
        yield Mistake(("review", "samples"), "random and blind together are more than all answers.", "Lower one.")
    for kind in ("high_value", "high_risk"):
        if kind in review.four_eyes and getattr(samples, kind) is None:
            message = f"four_eyes names {kind}, and samples does not say which cases those are."
            yield Mistake(("review", "four_eyes"), message, f"Write samples.{kind}: a condition over columns.")


def check_conditions(use_case: UseCase) -> Iterator[Mistake]:
    """The expressions of ``review``, over request columns and inputs that were found to be in order."""
    known: dict[str, ColumnKind] = {name: column.kind for name, column in expansion.request_columns(use_case).items()}
    known.update((column.name, column.kind) for column in expansion.columns(use_case))
    review, columns = use_case.review, "request columns and inputs"
    for kind in ("high_value", "high_risk"):
        text = getattr(review.samples, kind)
        if text is not None:
            yield from expression(("review", "samples", kind), text, known, "flag", columns)
    for skill, text in review.skills.items():
        yield from expression(("review", "skills", skill), text, known, "flag", columns)
    if review.at_stake is not None:
        yield from expression(("review", "at_stake"), review.at_stake, known, "number", columns)
