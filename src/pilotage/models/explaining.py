"""Why this probability: the columns that moved it most, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pilotage.models.inputs import Slot
from pilotage.models.records import Signal
from pilotage.models.rules.reference import CategoryReference, NumberReference, Reference
from pilotage.usecase.records import Column

WEIGHT_MIN = 1e-9


def by_column(slots: Sequence[Slot], contributions: Sequence[float]) -> dict[str, float]:
    """Contributions of slots, summed per column."""
    weights: dict[str, float] = {}
    for slot, weight in zip(slots, contributions, strict=True):
        weights[slot.column] = weights.get(slot.column, 0.0) + weight
    return weights


def signals(
    columns: Sequence[Column], weights: Mapping[str, float], values: Mapping[str, Any], usual: Reference, top: int
) -> tuple[Signal, ...]:
    """The columns with the greatest contributions, greatest first; those that moved nothing are left out."""
    moved = [column for column in columns if abs(weights.get(column.name, 0.0)) > WEIGHT_MIN]
    moved.sort(key=lambda column: -abs(weights[column.name]))
    return tuple(_signal(column, weights[column.name], values.get(column.name), usual) for column in moved[:top])


def said(column: Column) -> str:
    """What a column is, in words: the plan's own, else its name."""
    return _capital(column.says or column.name.replace("_", " "))


def _signal(column: Column, weight: float, value: Any, usual: Reference) -> Signal:
    shown = _shown(column, value)
    context = _context(column, value, usual)
    direction = "raises" if weight > 0 else "lowers"
    return Signal(column.name, shown, f"{said(column)}: {shown}{context} — {direction} the chance", weight)


def _shown(column: Column, value: Any) -> str:
    if value is None or value != value:
        return "not known"
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "number":
        return rounded(float(value))
    if column.kind == "datetime":
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return f"{instant:%Y-%m-%d %H:%M}"
    return str(value)


def _context(column: Column, value: Any, usual: Reference) -> str:
    """What is usual, in brackets."""
    slot = usual.slots.get(column.name)
    if isinstance(slot, CategoryReference):
        if value is None:
            return ""
        share = slot.shares.get(str(value))
        return " (seldom or never seen in training)" if share is None else f" ({_percent(share)} of decisions)"
    if not isinstance(slot, NumberReference) or not slot.shares:
        return ""
    typical = ("yes" if slot.median else "no") if column.kind == "flag" else rounded(slot.median)
    return f" (typical {typical})"


def rounded(number: float) -> str:
    """Three figures are enough to read: 12,345; 96.4; 0.0967; −5."""
    size = abs(number)
    if size >= 100:
        text = f"{number:,.0f}"
    elif size == 0:
        text = "0"
    elif size < 0.001:
        text = f"{number:.1e}"
    else:
        decimals = 1 if size >= 10 else 2 if size >= 1 else 3
        text = f"{number:.{decimals}f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
