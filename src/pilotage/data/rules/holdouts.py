"""How often candidates were judged on a period: each look at it makes its figures a little less of a surprise.

Whoever tries until a held-out period is pleased has learnt from it (Dwork et al., The reusable holdout, Science 2015).
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.records import HoldoutUse

_OFTEN = 5


def earlier(uses: Sequence[HoldoutUse], comparison: str) -> tuple[HoldoutUse, ...]:
    """Of the judgements in order those before this comparison's; all where it has none."""
    names = [use.comparison for use in uses]
    return tuple(uses[: names.index(comparison)] if comparison in names else uses)


def times_judged_said(times: int) -> str:
    """``Judged for the 4th time on this period.`` From the fifth time on with what to do about it."""
    if times <= 1:
        return "Judged for the first time on this period."
    said = f"Judged for the {ordinal(times)} time on this period or a part of it."
    often = " What was chosen by looking at it so often may do worse on new days: wait for newer outcomes."
    return said + (often if times >= _OFTEN else "")


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
