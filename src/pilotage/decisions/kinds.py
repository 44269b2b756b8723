"""An answer of any kind: what is done on it, how people read it, what stands in where nobody could say. Pure."""

from __future__ import annotations

from typing import Any

from pilotage.data.live import as_kind
from pilotage.decisions.records import Said
from pilotage.models.explaining import rounded
from pilotage.usecase.records import OutcomeKind, UseCase


def action_of(use_case: UseCase, answer: Said) -> str:
    """What is done, in the words of the policy; where it has none, the answer itself: ``Answer: 12.3 minutes``."""
    return declared_action(use_case, answer) or f"Answer: {told(use_case, answer)}"


def declared_action(use_case: UseCase, answer: Said) -> str:
    """What is done, in the words of the policy; empty where it has none."""
    actions = use_case.policy.actions
    if isinstance(answer, bool):
        return actions["positive" if answer else "negative"]
    if isinstance(answer, str):
        return actions.get(answer, "")
    threshold = use_case.policy.threshold
    return actions["above" if answer >= threshold else "below"] if actions and isinstance(threshold, float) else ""


def told(use_case: UseCase, answer: Said) -> str:
    """An answer as people read it: ``yes``, the category, ``12.3 minutes``."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, str):
        return answer
    return f"{rounded(answer)} {use_case.outcome.unit}".rstrip()


def default_of(use_case: UseCase) -> Said:
    """The answer that the file declares for when neither model nor rule can give one; no, where it declares none."""
    default = use_case.policy.default
    return default == "positive" if use_case.kind == "flag" or default is None else default


def said(kind: OutcomeKind, value: Any) -> Said | None:
    """What an expression of this kind says of a row, as in a training set: nothing where it is not finite or empty."""
    if value is None:
        return None
    if kind == "flag":
        return bool(value)
    found: Said | None = as_kind(value, kind)
    return None if isinstance(found, str) and not found.strip() else found
