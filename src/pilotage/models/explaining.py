"""Why this probability: the columns that moved it most, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from pilotage.models.records import Signal
from pilotage.models.rules.reference import CategoryReference, NumberReference, Reference
from pilotage.usecase.records import Column, OutcomeKind

WEIGHT_MIN = 1e-9
DIGITS = 9
"""Beyond these a weight depends on the order in which trees were added up."""
TEXT_TOLD = 60


@dataclass(frozen=True)
class About:
    """What an answer's reasons are told against.

    ``answer`` is the category that was answered, ``points`` how much of the calibrated answer one unit of contribution
    is; ``words`` are the loudest words of each text.
    """

    kind: OutcomeKind
    answer: str
    points: float
    usual: Reference
    words: Mapping[str, list[tuple[str, float]]]


def signals(
    columns: Sequence[Column], weights: Mapping[str, float], values: Mapping[str, Any], about: About, top: int
) -> tuple[Signal, ...]:
    """The columns with the greatest contributions, greatest first; those that moved nothing are left out."""
    moved = [column for column in columns if abs(weights.get(column.name, 0.0)) > WEIGHT_MIN]
    moved.sort(key=lambda column: -abs(weights[column.name]))
    return tuple(_signal(column, weights[column.name], values.get(column.name), about) for column in moved[:top])


def said(column: Column) -> str:
    """What a column is, in words: the plan's own, else its name."""
    return _capital(named(column))


def named(column: Column) -> str:
    """The same within a sentence."""
    return column.says or column.name.replace("_", " ")


def _signal(column: Column, weight: float, value: Any, about: About) -> Signal:
    points = weight * about.points
    told = Signal(column.name, shown(column, value), "", round(weight, DIGITS), round(points, DIGITS))
    told = _with_usual(told, column, value, about)
    sentence = f"{said(column)}: {told.value}{_context(told, column)} — {_direction(weight, points, about)}"
    return replace(told, sentence=sentence)


def _direction(weight: float, points: float, about: About) -> str:
    if about.kind == "number":
        return f"{'adds' if points > 0 else 'takes off'} {rounded(abs(points))}"
    what = f"the chance of {about.answer}" if about.kind == "category" else "the chance"
    return f"{'raises' if weight > 0 else 'lowers'} {what}"


def shown(column: Column, value: Any) -> str:
    """A value as people read it."""
    if value is None or value != value:
        return "not known"
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "number":
        return rounded(float(value))
    if column.kind == "datetime":
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return f"{instant:%Y-%m-%d %H:%M}"
    if column.kind == "text":
        return _shortened(str(value))
    return str(value)


def _shortened(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= TEXT_TOLD else one_line[: TEXT_TOLD - 1].rstrip() + "…"


def _with_usual(told: Signal, column: Column, value: Any, about: About) -> Signal:
    """What is usual, or which words count."""
    loud = about.words.get(column.name)
    if loud:
        return replace(told, words=tuple(word for word, _ in loud))
    slot = about.usual.slots.get(column.name)
    if isinstance(slot, CategoryReference):
        return told if value is None else replace(told, share=slot.shares.get(str(value), 0.0))
    if not isinstance(slot, NumberReference) or not slot.shares:
        return told
    return replace(told, typical=bool(slot.median) if column.kind == "flag" else slot.median)


def _context(told: Signal, column: Column) -> str:
    """The same in brackets."""
    if told.words:
        return f" (words that count most: {', '.join(told.words)})"
    if told.share is not UNSET:
        return f" ({_percent(told.share)} of decisions)" if told.share else " (seldom or never seen in training)"
    return "" if told.typical is UNSET else f" (typical {shown(column, told.typical)})"


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
