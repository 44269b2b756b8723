"""Checks of policy, worth and bias limit: each kind of outcome has keys of its own."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pilotage.usecase.records import Constraint, OutcomeKind, Policy, UseCase
from pilotage.usecase.rules.outcomes import KEYS
from pilotage.usecase.rules.places import Mistake, Path, Positions
from pilotage.usecase.rules.value import WORTH, pays_from

_ACTIONS: dict[OutcomeKind, tuple[str, ...]] = {"flag": ("positive", "negative"), "number": ("above", "below")}
_UNCERTAINTY: dict[OutcomeKind, str] = {"flag": "uncertain_within", "category": "confidence", "number": "width"}
_OPTIONAL = frozenset({"missed"})


def check_policy(use_case: UseCase, kind: OutcomeKind, written: Positions) -> Iterator[Mistake]:
    """Everything that follows from the outcome's kind; ``written`` tells a key of the file from an assumed one."""
    yield from _actions(use_case.policy, kind)
    yield from _threshold(use_case, kind, written)
    yield from _default(use_case.policy, kind)
    for other, key in _UNCERTAINTY.items():
        if other != kind and ("policy", key) in written:
            yield _misplaced(("policy", key), other, kind, f"Write {_UNCERTAINTY[kind]}, or remove it.")
    yield from _value(use_case, kind, written)
    yield from _fairness(use_case, kind)


def _misplaced(path: Path, of: OutcomeKind, kind: OutcomeKind, repair: str) -> Mistake:
    message = f"{path[-1]} belongs to an outcome that has {KEYS[of]}; this one has {KEYS[kind]}."
    return Mistake(path, message, repair)


def _actions(policy: Policy, kind: OutcomeKind) -> Iterator[Mistake]:
    known = _ACTIONS.get(kind)
    if known is None or (kind == "number" and not policy.actions):
        return
    path = ("policy", "actions")
    meant = set()
    for side in policy.actions:
        if side not in known:
            near = get_close_matches(side, known, 1)
            meant |= set(near)
            repair = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            yield Mistake((*path, side), f"{side} is not a key here.", repair)
    for side in known:
        if side not in policy.actions and side not in meant:
            yield Mistake(path, f"{side} is missing.", f"Add {side}: what people do then.")
    if len(set(policy.actions.values())) < len(policy.actions):
        yield Mistake(path, "Both actions are the same.", "A decision needs two different ones.")


def _threshold(use_case: UseCase, kind: OutcomeKind, written: Positions) -> Iterator[Mistake]:
    path, threshold = ("policy", "threshold"), use_case.policy.threshold
    if kind == "category":
        if path in written:
            yield _misplaced(path, "flag", kind, "Write confidence: how probable a category must be to be answered.")
    elif kind == "number":
        yield from _of_a_number(use_case.policy, path in written)
    elif isinstance(threshold, Constraint):
        if (threshold.precision is None) == (threshold.a_day is None):
            got = (
                "It has precision and a_day." if threshold.a_day is not None else "It has neither precision nor a_day."
            )
            yield Mistake(path, got, "Give one of them: {precision: 0.8} or {a_day: 40}.")
    elif isinstance(threshold, float) and not 0 < threshold < 1:
        message = f"A probability lies between 0 and 1 (got {threshold:g})."
        yield Mistake(path, message, "Write by value, a probability, {precision: 0.8} or {a_day: 40}.")


def _of_a_number(policy: Policy, written: bool) -> Iterator[Mistake]:
    path = ("policy", "threshold")
    if policy.actions and not isinstance(policy.threshold, float):
        message = "It has no number from which on the action above is taken, and below it the other."
        yield Mistake(path, message, "Write one in the outcome's unit: threshold: 30")
    elif written and not policy.actions:
        repair = "Add actions: {above: what people do then, below: what otherwise}, or remove threshold."
        yield Mistake(path, "threshold tells the actions above and below apart, and there are none.", repair)


def _default(policy: Policy, kind: OutcomeKind) -> Iterator[Mistake]:
    path, default = ("policy", "default"), policy.default
    if kind == "flag":
        if default not in (None, "positive", "negative"):
            yield Mistake(path, f"'{_said(default)}' is not known here.", "Write positive or negative.")
    elif default is None:
        noun = "category" if kind == "category" else "number"
        message = "default is missing: what is answered where neither model nor rule can say."
        yield Mistake(("policy",), message, f"Add default: a {noun}.")
    elif kind == "category" and not (isinstance(default, str) and default.strip()):
        yield Mistake(path, f"A category is a text (got {_said(default)}).", f"Write it in quotes: '{_said(default)}'.")
    elif kind == "number" and not isinstance(default, float):
        yield Mistake(path, f"The outcome is a number (got '{default}').", "Write a number in the outcome's unit.")


def _said(default: float | str | None) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _value(use_case: UseCase, kind: OutcomeKind, written: Positions) -> Iterator[Mistake]:
    path = ("brief", "value")
    absent = [key for key in WORTH[kind] if key not in _OPTIONAL and (*path, key) not in written]
    for key in absent:
        yield Mistake(path, f"{key} is missing.", f"Add {key}: a number, what it is worth.")
    for other, keys in WORTH.items():
        for key in keys:
            if other != kind and (*path, key) in written:
                yield _misplaced((*path, key), other, kind, f"Here it is {' and '.join(WORTH[kind])}.")
    if not absent:
        yield from _nothing_to_gain(use_case, kind)


def _nothing_to_gain(use_case: UseCase, kind: OutcomeKind) -> Iterator[Mistake]:
    value, path = use_case.brief.value, ("brief", "value")
    at = pays_from(value)
    if kind == "flag" and use_case.policy.threshold == "by value" and (at is None or not 0 < at < 1):
        message = "By these values one action is always the better one, so that there is nothing to predict."
        repair = "caught must be worth more than missed, and a false_alarm must cost something (a negative number)."
        yield Mistake(path, message, repair)
    if kind == "category" and value.right <= value.wrong:
        message = (
            "By these values a right answer is worth no more than a wrong one, so that there is nothing to predict."
        )
        yield Mistake(path, message, "right must be more than wrong.")
    if kind == "number" and value.too_low == value.too_high == 0:
        message = "By these values an answer may lie as far off as it will, so that there is nothing to predict."
        yield Mistake(path, message, "Give what a unit too low or too high costs, as negative numbers.")


def _fairness(use_case: UseCase, kind: OutcomeKind) -> Iterator[Mistake]:
    fairness = use_case.fairness
    if fairness is None:
        return
    if kind != "flag":
        message = f"fairness compares how often groups are acted on; this outcome has {KEYS[kind]}."
        yield Mistake(("fairness",), message, "Remove it: `groups` compares them in the audit.")
    if not fairness.by:
        yield Mistake(("fairness", "by"), "No group is named.", "Name columns of the decision's source: by: [sex]")
    if len(set(fairness.by)) < len(fairness.by):
        yield Mistake(("fairness", "by"), "A name stands here twice.", "Keep one.")
