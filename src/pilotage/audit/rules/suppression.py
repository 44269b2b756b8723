"""Small groups hidden in reports that others see: who is in a group of three can be told from its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LEAST = 10
HIDDEN_COUNT = "fewer than 10"
_COUNTS = ("decisions", "share", "labelled", "positives", "rate", "low", "high")


def suppressed(figures: Mapping[str, Any], least: int = LEAST) -> dict[str, Any]:
    """A bias finding's figures without the counts of groups below ``least`` persons; others come back as they are.

    The counts of a small group become None and its ``shown`` says 'fewer than 10'. Totals are told elsewhere, so a
    hidden count could be had by subtraction: then the next smallest group is hidden too ('hidden'), until the hidden
    ones are two or more and ``least`` persons together (Hundepool et al., Statistical Disclosure Control, 2012).
    """
    groups = figures.get("groups")
    if not isinstance(groups, (list, tuple)):
        return dict(figures)
    cells = [*groups, {"value": None, "decisions": figures.get("missing", 0), "labelled": 0}]
    small = {number for number, cell in enumerate(cells) if _is_small(cell, least)}
    hidden = _with_complement(cells, small, least)
    shown = [_hidden(g, n in small, least) if n in hidden else dict(g) for n, g in enumerate(groups)]
    of_missing = {"missing": None, "missing_share": None} if len(groups) in hidden else {}
    return {**figures, "groups": shown, **of_missing}


def _is_small(cell: Mapping[str, Any], least: int) -> bool:
    return any(0 < int(cell[count]) < least for count in ("decisions", "labelled"))


def _with_complement(cells: Sequence[Mapping[str, Any]], small: set[int], least: int) -> set[int]:
    hidden = set(small)
    others = sorted((int(cell["decisions"]), n) for n, cell in enumerate(cells) if n not in small and cell["decisions"])
    while hidden and others and not _is_enough(cells, hidden, least):
        hidden.add(others.pop(0)[1])
    return hidden


def _is_enough(cells: Sequence[Mapping[str, Any]], hidden: set[int], least: int) -> bool:
    return len(hidden) >= 2 and sum(int(cells[number]["decisions"]) for number in hidden) >= least


def _hidden(group: Mapping[str, Any], is_small: bool, least: int) -> dict[str, Any]:
    shown = (HIDDEN_COUNT if least == LEAST else f"fewer than {least}") if is_small else "hidden"
    return {**group, **dict.fromkeys(_COUNTS), "shown": shown}
