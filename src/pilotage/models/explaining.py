"""Why this probability: the columns that moved it most, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    text = shown(column, value)
    context = _context(column, value, about)
    points = weight * about.points
    sentence = f"{said(column)}: {text}{context} — {_direction(weight, points, about)}"
    return Signal(column.name, text, sentence, round(weight, DIGITS), round(points, DIGITS))


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


def _context(column: Column, value: Any, about: About) -> str:
    """What is usual, or which words count, in brackets."""
    loud = about.words.get(column.name)
    if loud:
        return f" (words that count most: {', '.join(word for word, _ in loud)})"
    slot = about.usual.slots.get(column.name)
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
