"""From opinions to how well people review: pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

import krippendorff
import numpy as np

from pilotage.audit.rules.intervals import wilson
from pilotage.monitor.reviewing.records import Difference, Judged, Quality, Rate
from pilotage.review.records import Opinion

_REASONS_SHOWN = 8


def quality_of(judged: Sequence[Judged], people_of_reason: int = 1) -> Quality:
    """The figures over these opinions, of one person or of all.

    Reasons that fewer people than ``people_of_reason`` gave are counted together, without their words.
    """
    in_view = [each for each in judged if not each.opinion.blind and each.opinion.verdict != "rejected"]
    changed = [each for each in in_view if each.opinion.verdict == "corrected"]
    seen = _agree([each for each in judged if each.is_random and not each.opinion.blind])
    blind = _agree([each for each in judged if each.why == "blind" and each.opinion.blind])
    known = [each for each in judged if each.happened is not None and each.opinion.verdict != "rejected"]
    return Quality(
        opinions=len(judged),
        people=frozenset(each.opinion.person for each in judged),
        alpha=alpha(judged),
        twice=sum(count > 1 for count in Counter(each.opinion.case for each in judged).values()),
        seconds=median(each.opinion.seconds for each in judged) if judged else None,
        changed=rate(len(changed), len(in_view)),
        reasons=_reasons([each.opinion for each in changed if each.opinion.reason], people_of_reason),
        seen=seen,
        blind=blind,
        bias=difference(seen, blind),
        missed=rate(sum(each.opinion.answer != each.happened for each in known), len(known)),
    )


def alpha(judged: Sequence[Judged]) -> float | None:
    """Krippendorff's alpha of the answers as names, over the cases judged more than once; None where undefined.

    It allows for different numbers of opinions per case (Krippendorff 2011, Computing Krippendorff's
    alpha-reliability).
    """
    by_case: dict[str, list[str]] = {}
    for each in judged:
        by_case.setdefault(each.opinion.case, []).append(
            f"{each.opinion.verdict == 'rejected'} {each.opinion.answer!r}"
        )
    units = [said for said in by_case.values() if len(said) > 1]
    values = sorted({value for said in units for value in said})
    if len(values) < 2:
        return None
    counts = np.array([[said.count(value) for value in values] for said in units])
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def rate(count: int, of: int) -> Rate:
    """A share with its score interval."""
    return Rate(count, of, *wilson(count, of)) if of else Rate(0, 0, 0.0, 1.0)


def difference(one: Rate, other: Rate) -> Difference | None:
    """How much higher the first share is (Newcombe 1998, method 10); None where either counts nothing."""
    if one.share is None or other.share is None:
        return None
    value = one.share - other.share
    low = value - math.hypot(one.share - one.low, other.high - other.share)
    high = value + math.hypot(one.high - one.share, other.share - other.low)
    return Difference(value, low, high)


def _reasons(given: Sequence[Opinion], people_min: int) -> tuple[tuple[str, int], ...]:
    people: dict[str, set[str]] = {}
    for each in given:
        people.setdefault(each.reason, set()).add(each.person)
    told = Counter(each.reason if len(people[each.reason]) >= people_min else "" for each in given)
    return tuple(told.most_common(_REASONS_SHOWN))


def _agree(judged: Sequence[Judged]) -> Rate:
    decided = [each for each in judged if each.opinion.verdict != "rejected"]
    return rate(sum(each.opinion.answer == each.given for each in decided), len(decided))
