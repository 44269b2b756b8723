"""Where a series of periods changes for good, and how that compares with what it usually does: pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from statistics import median
from typing import TypeVar

from msgspec import Struct

# Each side of a possible change must have as many periods: two of a kind are chance.
SIDE_MIN = 3
ALIKE = 0.8

Period = TypeVar("Period")
Pool = TypeVar("Pool")


class Step(Struct, frozen=True):
    """A change at the start of period ``at``: how large, the largest elsewhere, how far periods stray on each side.

    ``lasting`` is the same distance between everything before and everything after; ``edge`` that between the periods
    at the change, and ``edges`` the largest between two neighbouring periods elsewhere: what only drifts has no edge.
    """

    at: int
    size: float
    usual: float
    inside: float
    lasting: float
    edge: float
    edges: float


def step_of(
    periods: Sequence[Period],
    window: int,
    pool: Callable[[Sequence[Period]], Pool],
    distance: Callable[[Pool, Pool], float],
) -> Step | None:
    """The largest change between the windows before and after a period; None where there are too few periods."""
    places = range(SIDE_MIN, len(periods) - SIDE_MIN + 1)
    if not places:
        return None

    def beside(at: int) -> tuple[Sequence[Period], Sequence[Period]]:
        return periods[max(at - window, 0) : at], periods[at : at + window]

    def between(one: int, other: int) -> float:
        return distance(pool([periods[one]]), pool([periods[other]]))

    sizes = {at: distance(*(pool(side) for side in beside(at))) for at in places}
    sizes = {at: size for at, size in sizes.items() if not isnan(size)}  # numbers near the largest there are
    if not sizes:
        return None
    best = max(sizes, key=sizes.__getitem__)
    # Windows of medians are as far apart a few periods beside the change: it lies where the neighbours differ most.
    alike = [at for at in sizes if abs(at - best) <= window // 2 and sizes[at] >= ALIKE * sizes[best]]
    best = max(alike, key=lambda at: between(at - 1, at))
    sides = beside(best)
    strays = [distance(pool([period]), pool(side)) for side in sides for period in side]
    return Step(
        at=best,
        size=sizes[best],
        usual=max((size for at, size in sizes.items() if abs(at - best) >= window), default=0.0),
        inside=median(strays),
        lasting=distance(pool(periods[:best]), pool(periods[best:])),
        edge=max(between(best - 1, best), between(best - 1, best + 1), between(best - 2, best)),
        edges=max((between(at - 1, at) for at in range(1, len(periods)) if abs(at - best) > 1), default=0.0),
    )


class Spell(Struct, frozen=True):
    """Periods ``start`` to before ``end`` in which a share is higher than outside, and how far shares stray there."""

    start: int
    end: int
    inside: float
    outside: float
    strays_inside: float
    strays_outside: float


def spell_of(counts: Sequence[int], totals: Sequence[int]) -> Spell | None:
    """The run of periods whose share of counts stands out most from all others; None where none does."""
    count, total = sum(counts), sum(totals)
    best, worth = None, 0.0
    for start in range(len(counts)):
        some, rows = 0, 0
        for end in range(start + 1, len(counts) + 1):
            some, rows = some + counts[end - 1], rows + totals[end - 1]
            others, rest = count - some, total - rows
            if not rows or not rest:
                continue
            gap = some / rows - others / rest
            if gap > 0 and rows * rest * gap * gap > worth:
                best, worth = (start, end, some / rows, others / rest), rows * rest * gap * gap
    if best is None:
        return None
    start, end, inside, outside = best
    within = range(start, end)
    without = [at for at in range(len(counts)) if at not in within]
    return Spell(
        start, end, inside, outside, _strays(counts, totals, within, inside), _strays(counts, totals, without, outside)
    )


def _strays(counts: Sequence[int], totals: Sequence[int], places: Sequence[int], share: float) -> float:
    """The mean distance of the periods' shares from their common one, by rows."""
    rows = sum(totals[at] for at in places)
    return sum(abs(counts[at] - share * totals[at]) for at in places) / rows if rows else 0.0


def middle(periods: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Position by position the median of several rows of figures."""
    return tuple(median(column) for column in zip(*periods, strict=True))


def summed(periods: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Position by position the sum of several rows of counts."""
    return tuple(map(sum, zip(*periods, strict=True)))


def variation(first: Sequence[int], second: Sequence[int]) -> float:
    """Total variation distance between two rows of counts: the share that would have to move, 0 to 1."""
    one, other = sum(first), sum(second)
    if not one or not other:
        return 0.0
    return sum(abs(a / one - b / other) for a, b in zip(first, second, strict=True)) / 2


def shift(first: Sequence[float], second: Sequence[float]) -> float:
    """How far ascending quantiles moved, on average, over the wider of both spans between the outer ones."""
    span = max(first[-1] - first[0], second[-1] - second[0])
    moved = sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)
    if not span:
        return 1.0 if moved else 0.0
    return moved / span


def factor(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The factor that best turns the first quantiles into the second, and the share of them it leaves unexplained.

    (1, 1) where there is none.
    """
    squares, products = sum(a * a for a in first), sum(a * b for a, b in zip(first, second, strict=True))
    goal = sum(b * b for b in second)
    if products <= 0 or not goal:
        return 1.0, 1.0
    scale = products / squares
    left = sum((b - scale * a) ** 2 for a, b in zip(first, second, strict=True))
    return scale, (left / goal) ** 0.5
