"""What decisions are worth, of every kind, and the probability from which acting pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

from pilotage.usecase.records import OutcomeKind, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORTH: dict[OutcomeKind, tuple[str, ...]] = {
    "flag": ("caught", "false_alarm", "missed"),
    "category": ("right", "wrong"),
    "number": ("too_low", "too_high"),
}
"""What can come of an answer, by kind of outcome, as ``brief.value`` names it."""


def break_even(value: Value) -> float:
    """The probability at which acting and not acting are worth the same: act above it.

    Acting on a case of probability p is worth ``p · caught + (1 - p) · false_alarm``, not acting ``p · missed``. The
    result lies outside 0 to 1 where one of the two pays always (Elkan 2001,
    The foundations of cost-sensitive learning).
    """
    gain = value.caught - value.missed - value.false_alarm
    return -value.false_alarm / gain if gain else float("inf")


def pays_from(value: Value) -> float | None:
    """The least probability from which on acting is worth no less than not acting, 0 to 1; None where there is none."""
    if value.caught - value.missed - value.false_alarm <= 0:  # the likelier a case, the less acting is worth
        return None
    at = max(0.0, break_even(value))
    return at if at <= 1 else None


def came_of(answered: bool | str | float, happened: bool | str | float) -> dict[str, float]:
    """What came of one answer, as ``brief.value`` names it: how often it did, of a number by how many units.

    Nothing came of not acting on what did not happen.
    """
    if isinstance(happened, bool):
        if answered:
            return {"caught" if happened else "false_alarm": 1.0}
        return {"missed": 1.0} if happened else {}
    if isinstance(happened, str):
        return {"right" if answered == happened else "wrong": 1.0}
    over = float(answered) - happened
    return {"too_high": over} if over > 0 else {"too_low": -over}


@overload
def earned(came: Mapping[str, float], value: Value) -> float: ...
@overload
def earned(came: Mapping[str, NDArray[Any]], value: Value) -> NDArray[np.float64]: ...
def earned(came: Mapping[str, Any], value: Value) -> Any:
    """The money of what came of answers, without reviewing, in the brief's currency.

    Of each outcome of :data:`WORTH` how often it did, or by how many units; or a vector of that, one per decision.
    """
    return sum((getattr(value, key) * amount for key, amount in came.items()), 0.0)
