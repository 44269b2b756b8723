"""Why this probability: the columns that moved it most, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from pilotage.models.records import Signal
from pilotage.models.rules.reference import CategoryReference, NumberReference, Reference, SlotReference
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

    answer: str
    points: float
    words: Mapping[str, list[tuple[str, float]]]


class Reasons:
    """The reasons of one model's answers, in words. What no case changes of them is made once."""

    def __init__(self, columns: Sequence[Column], usual: Reference, kind: OutcomeKind) -> None:
        self._columns = tuple(_Told(column, usual.slots.get(column.name)) for column in columns)
        self._names = tuple(column.name for column in columns)
        self._kind = kind

    def strongest(
        self, weights: Mapping[str, float], values: Mapping[str, Any], about: About, top: int
    ) -> tuple[Signal, ...]:
        """The columns with the greatest contributions, greatest first; those that moved nothing are left out."""
        sizes = [abs(weights.get(name, 0.0)) for name in self._names]
        by_size = sorted([(-size, at) for at, size in enumerate(sizes) if size > WEIGHT_MIN])
        moved = [self._columns[at] for _, at in by_size[:top]]
        return tuple([self._signal(told, weights[told.name], values.get(told.name), about) for told in moved])

    def _signal(self, told: _Told, weight: float, value: Any, about: About) -> Signal:
        points = weight * about.points
        loud = about.words.get(told.name)
        return told.signal(value, weight, points, _direction(self._kind, weight, points, about.answer), loud)


class _Told:
    """One column as a reason: what is usual, and how that is said."""

    def __init__(self, column: Column, usual: SlotReference | None) -> None:
        self.name = column.name
        self._column = column
        self._begin = f"{said(column)}: "
        self._shares = usual.shares if isinstance(usual, CategoryReference) else None
        self._typical: float | bool | UnsetType = UNSET
        self._usual = ""
        if isinstance(usual, NumberReference) and usual.shares:
            self._typical = bool(usual.median) if column.kind == "flag" else usual.median
            self._usual = f" (typical {shown(column, self._typical)})"

    def signal(
        self, value: Any, weight: float, points: float, direction: str, loud: list[tuple[str, float]] | None
    ) -> Signal:
        """The reason that this value is, with the loudest words of a text."""
        text = shown(self._column, value)
        usual, typical = self._usual, self._typical
        share: float | UnsetType = UNSET
        words: tuple[str, ...] | UnsetType = UNSET
        if loud:
            words = tuple([word for word, _ in loud])
            usual, typical = f" (words that count most: {', '.join(words)})", UNSET
        elif self._shares is not None and value is not None:
            share = self._shares.get(str(value), 0.0)
            usual = f" ({_percent(share)} of decisions)" if share else " (seldom or never seen in training)"
        sentence = f"{self._begin}{text}{usual} — {direction}"
        return Signal(self.name, text, sentence, round(weight, DIGITS), round(points, DIGITS), typical, share, words)


def said(column: Column) -> str:
    """What a column is, in words: the plan's own, else its name."""
    return _capital(named(column))


def named(column: Column) -> str:
    """The same within a sentence."""
    return column.says or column.name.replace("_", " ")


def _direction(kind: OutcomeKind, weight: float, points: float, answer: str) -> str:
    if kind == "number":
        return f"{'adds' if points > 0 else 'takes off'} {rounded(abs(points))}"
    what = f"the chance of {answer}" if kind == "category" else "the chance"
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
