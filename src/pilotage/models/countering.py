"""Counter-examples: what one column would have to be for the answer to be another, all else equal.

Source: Wachter, Mittelstadt, Russell: Counterfactual explanations without opening the black box (2017), for one column
at a time and values that training held: so that each is a sentence, and costs a few dozen scores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from pilotage.models import explaining
from pilotage.models.records import Prediction
from pilotage.models.rules.reference import CategoryReference, NumberReference, Reference
from pilotage.usecase.records import Column, Derived

LEVELS_TRIED = 8
COLUMNS_TRIED = 12


class CounterExample(Struct, frozen=True):
    """One column, the value nearest to the present one that changes the answer, and that answer."""

    column: str
    value: str
    answer: bool | str | float
    score: float
    sentence: str


def counter_examples(
    columns: Sequence[Column],
    values: Mapping[str, Any],
    predict: Callable[[Mapping[str, Any]], Prediction],
    weights: Mapping[str, float],
    usual: Reference,
    top: int,
) -> tuple[CounterExample, ...]:
    """The first ``top`` columns, the strongest first, of which another value changes the answer of yes or no, or class.

    A number's answer always changes a little: of it there are none.
    """
    now = predict(values).answer
    if isinstance(now, float):
        return ()
    found: list[CounterExample] = []
    strongest = sorted(columns, key=lambda column: -abs(weights.get(column.name, 0.0)))
    for column in [one for one in strongest if _stands_alone(one, columns)][:COLUMNS_TRIED]:
        for other in _others(column, values.get(column.name), usual):
            said = predict({**values, column.name: other})
            if said.answer != now:
                found.append(_told(column, other, said))
                break
        if len(found) == top:
            break
    return tuple(found)


def _stands_alone(column: Column, columns: Sequence[Column]) -> bool:
    """Whether it can change by itself: not what is derived from others, nor what others are derived from."""
    made = [one.expression for one in columns if isinstance(one, Derived)]
    return not isinstance(column, Derived) and not any(re.search(rf"\b{re.escape(column.name)}\b", one) for one in made)


def _others(column: Column, value: Any, usual: Reference) -> list[Any]:
    """Other values that training held: numbers nearest first, categories by how frequent they are."""
    slot = usual.slots.get(column.name)
    if column.kind == "flag":
        return [not value]
    if isinstance(slot, CategoryReference):
        ordered = sorted(slot.shares, key=lambda level: -slot.shares[level])
        return [level for level in ordered if level != str(value)][:LEVELS_TRIED]
    if isinstance(slot, NumberReference) and slot.shares and column.kind == "number":
        low, high = slot.quantiles[0], slot.quantiles[-1]
        steps = sorted({low, *slot.edges, high})
        at = float(value) if isinstance(value, (int, float)) and value == value else slot.median
        return sorted((step for step in steps if step != at), key=lambda step: abs(step - at))
    return []


def _told(column: Column, other: Any, said: Prediction) -> CounterExample:
    shown = explaining.shown(column, other)
    answer = ("yes" if said.answer else "no") if isinstance(said.answer, bool) else str(said.answer)
    sure = f"{said.score:.0%}".replace("%", " %")
    sentence = f"If {explaining.named(column)} were {shown}, and all else the same, it would answer {answer} ({sure})."
    return CounterExample(column.name, shown, said.answer, said.score, sentence)
