"""A signal in the words of any language: what the column says, its value, what is usual, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from pilotage.decisions.records import Decision
from pilotage.govern.rules.masking import HIDDEN
from pilotage.models import explaining
from pilotage.models.records import Signal
from pilotage.review.records import Language
from pilotage.review.rules.words import number, text
from pilotage.usecase.records import Column


class Told(msgspec.Struct, frozen=True):
    """The decision whose signals are told, its columns by name, and the language."""

    decision: Decision
    columns: Mapping[str, Column]
    language: Language


def sentence(recorded: dict[str, Any], told: Told) -> str:
    """A signal as it is said; as it was recorded where its column or its value is not there any more."""
    column, inputs = told.columns.get(str(recorded.get("column"))), told.decision.inputs
    if column is None or column.name not in inputs:
        return str(recorded.get("sentence", ""))
    signal = msgspec.convert(recorded, Signal)
    hidden = signal.value == HIDDEN
    return text(
        "signal",
        told.language,
        what=explaining.said(column),
        value=HIDDEN if hidden else shown(column, inputs[column.name], told.language),
        beside=_beside(signal, column, told.language),
        way=_way(signal, told.decision, told.language),
    )


def shown(column: Column, value: Any, language: Language) -> str:
    """A column's value as people read it."""
    if value is None or value != value:
        return text("not_known", language)
    if column.kind == "flag":
        return text("yes" if value else "no", language)
    if column.kind == "number":
        return number(float(value), language)
    if column.kind == "datetime":
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        parts = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M"}
        return text("instant", language, **{name: format(instant, code) for name, code in parts.items()})
    return explaining.shown(column, value)


def _beside(signal: Signal, column: Column, language: Language) -> str:
    """What is usual, or which words count, in brackets; a signal of an earlier release does not say."""
    if signal.words:
        return text("loud", language, words=", ".join(signal.words))
    if signal.share is not msgspec.UNSET:
        return _share(signal.share, language)
    if signal.typical is msgspec.UNSET:
        return ""
    return text("typical", language, value=shown(column, signal.typical, language))


def _share(share: float, language: Language) -> str:
    if share == 0:
        return text("never", language)
    return text("seldom_share", language) if share < 0.01 else text("share", language, percent=f"{100 * share:.0f}")


def _way(signal: Signal, decision: Decision, language: Language) -> str:
    answer = decision.model_answer
    if isinstance(answer, str):
        return text("raises_of" if signal.weight > 0 else "lowers_of", language, answer=answer)
    if answer is None or isinstance(answer, bool):
        return text("raises" if signal.weight > 0 else "lowers", language)
    return text("adds" if signal.points > 0 else "takes_off", language, points=number(abs(signal.points), language))
