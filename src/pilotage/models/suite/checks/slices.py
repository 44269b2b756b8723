"""The least on slices: nowhere with enough rows is the model proved to be worse than today's rule."""

from __future__ import annotations

from collections.abc import Iterator
from math import erfc, sqrt

from pilotage.govern.rules.masking import HIDDEN
from pilotage.models.records import Slice
from pilotage.models.rules.differences import holm
from pilotage.models.suite import judging
from pilotage.models.suite.records import Limits, Result
from pilotage.models.suite.subject import Subject

CHECK = "slice"


def against_the_rule(subject: Subject, limits: Limits) -> Iterator[Result]:
    """Every slice of the comparison; one-sided p of the difference in money, corrected for all slices (Holm 1979)."""
    if not subject.slices:
        said = "No slice has enough rows." if subject.slices == () else "Slices were measured of another candidate."
        yield judging.skipped(CHECK, said)
        return
    family = holm([_worse(one) for one in subject.slices])
    for column in dict.fromkeys(one.column for one in subject.slices):
        mine = [(p, one) for p, one in zip(family, subject.slices, strict=True) if one.column == column]
        yield _worst(subject, column, mine, limits.against_the_rule)


def _worst(subject: Subject, column: str, found: list[tuple[float, Slice]], limit: float) -> Result:
    p, worst = min(found, key=lambda one: (one[0], one[1].difference.value))
    value = HIDDEN if column in subject.personal else worst.value or "nothing"
    said = (
        f"{column}: of {len(found)} slices the worst against the rule is {value} ({worst.rows:,} rows): "
        f"{worst.difference.value:+,.0f} per 1,000 decisions, p {p:.3f} that it is no worse."
    )
    return Result(CHECK, column, "FAIL" if p < limit else "PASS", said, p, limit)


def _worse(one: Slice) -> float:
    """How often chance alone makes a model that is as good as the rule look this bad."""
    difference = one.difference
    if difference.error <= 0:
        return 1.0
    return 0.5 * erfc(-difference.value / difference.error / sqrt(2))
