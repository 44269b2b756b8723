"""What decisions are worth, and the probability from which acting pays."""

from __future__ import annotations

from pilotage.usecase.records import Value


def break_even(value: Value) -> float:
    """The probability at which acting and not acting are worth the same: act above it.

    Acting on a case of probability p is worth ``p · caught + (1 - p) · false_alarm``, not acting ``p · missed``. The
    result lies outside 0 to 1 where one of the two pays always (Elkan 2001,
    The foundations of cost-sensitive learning).
    """
    gain = value.caught - value.missed - value.false_alarm
    return -value.false_alarm / gain if gain else float("inf")
