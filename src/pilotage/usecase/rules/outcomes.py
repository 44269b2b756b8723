"""Checks of what is predicted, and of what rule and people say in its place: one kind for all three."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.usecase.records import ColumnKind, Human, OneOfThree, OutcomeKind, UseCase
from pilotage.usecase.rules import expansion, expressions
from pilotage.usecase.rules.expressed import A, expression, gives, known_source, syntax
from pilotage.usecase.rules.places import Mistake, Path

KEYS: dict[OutcomeKind, str] = {"flag": "positive", "category": "category", "number": "number"}
"""The key of the file under which an expression of each kind stands."""

_ONE = "Give exactly one: positive (true or false), category (one of several texts) or number."


def settled_kind(use_case: UseCase) -> OutcomeKind | None:
    """The outcome's kind; None where the file has none or several, so that nothing can be checked by it."""
    return use_case.kind if len(_given(use_case.outcome)) == 1 else None


def check_outcome(use_case: UseCase) -> Iterator[Mistake]:
    """The outcome and the human decision, as far as the file alone shows them."""
    outcome = use_case.outcome
    yield from known_source(use_case, ("outcome", "source"), outcome.source)
    yield from _exactly_one(("outcome",), outcome)
    for key in _given(outcome):
        yield from _over_a_source(("outcome", key), getattr(outcome, key), _KINDS[key])
    if outcome.unit and settled_kind(use_case) not in ("number", None):
        yield Mistake(("outcome", "unit"), f"unit belongs to a number; this outcome has {outcome.key}.", "Remove unit.")
    if use_case.human is not None:
        yield from _human(use_case, use_case.human)


def check_rule(use_case: UseCase) -> Iterator[Mistake]:
    """The rule, over request columns and inputs that were found to be in order."""
    rule, kind = use_case.rule, settled_kind(use_case)
    yield from _exactly_one(("rule",), rule)
    known: dict[str, ColumnKind] = {name: column.kind for name, column in expansion.request_columns(use_case).items()}
    known.update((column.name, column.kind) for column in expansion.columns(use_case))
    given = _given(rule)
    for key in given:
        if len(given) == 1 and kind is not None and _KINDS[key] != kind:
            message = f"The rule gives {A[_KINDS[key]]}; the outcome is {A[kind]}, and both must be alike."
            yield Mistake(("rule", key), message, f"Write {KEYS[kind]}: what the app says today.")
        else:
            yield from expression(("rule", key), getattr(rule, key), known, _KINDS[key], "request columns and inputs")


_KINDS: dict[str, OutcomeKind] = {key: kind for kind, key in KEYS.items()}


def _given(part: OneOfThree) -> list[str]:
    return [key for key in KEYS.values() if getattr(part, key)]


def _exactly_one(path: Path, part: OneOfThree) -> Iterator[Mistake]:
    given = _given(part)
    if len(given) != 1:
        yield Mistake(path, f"It has {' and '.join(given)}." if given else f"It has none of {_listed()}.", _ONE)


def _listed() -> str:
    return ", ".join(KEYS.values())


def _over_a_source(path: Path, text: str, wanted: OutcomeKind) -> Iterator[Mistake]:
    """That it is an expression, and of another kind only where that can be seen without the source's columns."""
    found = list(syntax(path, text))
    yield from found or gives(path, expressions.kind_of(text, {}), wanted)


def _human(use_case: UseCase, human: Human) -> Iterator[Mistake]:
    yield from known_source(use_case, ("human", "source"), human.source)
    kind = settled_kind(use_case)
    found = list(syntax(("human", "decided"), human.decided))
    yield from found
    if found:
        return
    if kind is not None:
        yield from gives(("human", "decided"), expressions.kind_of(human.decided, {}), kind)
    yield from _decided_beforehand(use_case, human)


def _decided_beforehand(use_case: UseCase, human: Human) -> Iterator[Mistake]:
    """The app cannot send what people decide on the case: a model that sees it learns to copy them."""
    if human.source != use_case.decision.source:
        return
    decided = expressions.columns_of(human.decided)
    for name, column in expansion.source_columns(use_case).items():
        if decided == {column}:
            message = f"{column} is what people decided (human.decided), which is not there when the app asks."
            yield Mistake(("decision", "request", name), message, "Remove it: a model would learn to copy them.")
