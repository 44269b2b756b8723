"""A contract as a function over one request: which columns of it break which rule. Made once, asked every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from pilotage.data.contracts.patterns import matcher
from pilotage.data.contracts.records import ColumnContract, Contract, Severity


class Breach(Struct, frozen=True):
    """A column of a request, as the app calls it, and the rule that it breaks."""

    column: str
    rule: str
    severity: Severity


Guard = Callable[[Mapping[str, Any]], tuple[Breach, ...]]
"""The breaches of a request: values by name; texts, floats, booleans, instants, None."""
_Check = Callable[[Any], bool]
_NOTHING: tuple[Breach, ...] = ()


def unguarded(request: Mapping[str, Any]) -> tuple[Breach, ...]:
    """A request of which nothing was promised."""
    return _NOTHING


def guard(contract: Contract, columns: Mapping[str, str]) -> Guard:
    """A guard over requests; ``columns`` are the request's names and what the contract's source calls them.

    Nearly every request keeps its promises: so each column is asked one question, and only where the answer is no, each
    of its rules.
    """
    promised = {name: contract.columns[column] for name, column in columns.items() if column in contract.columns}
    checks = {
        name: tuple(
            (is_broken, Breach(name, rule, each.severity or contract.severity)) for rule, is_broken in _checks(each)
        )
        for name, each in promised.items()
    }
    kept = [(name, _keeps(promised[name])) for name, rules in checks.items() if rules]
    if not kept:
        return unguarded

    def breaches(request: Mapping[str, Any]) -> tuple[Breach, ...]:
        given = request.get
        suspects = [name for name, keeps in kept if not keeps(given(name))]
        if not suspects:
            return _NOTHING
        return tuple(breach for name in suspects for is_broken, breach in checks[name] if is_broken(given(name)))

    return breaches


def _keeps(column: ColumnContract) -> _Check:
    """True only of values that break no rule; what is not sure is looked at by the rules."""
    if column.type == "number":
        low, high = _limits(column)
        return lambda value: value.__class__ is float and low <= value <= high
    if column.type == "text" and column.categories and not column.pattern:
        return frozenset(value for value in column.categories if value.strip(" ")).__contains__
    if column.type == "text" and column.pattern and not column.categories:
        matches = matcher(column.pattern)
        return lambda value: value.__class__ is str and bool(value) and matches(value) and value[0] != " "
    return lambda value: False


def _limits(column: ColumnContract) -> tuple[float, float]:
    low = float("-inf") if column.min is None else column.min
    return low, float("inf") if column.max is None else column.max


def _checks(column: ColumnContract) -> Iterator[tuple[str, _Check]]:
    """The rules that one value can break. What is empty breaks ``required`` and nothing else."""
    if column.required:
        yield "required", _is_empty
    if column.type == "number" and not (column.min is None and column.max is None):
        yield "range", _outside(*_limits(column))
    if column.type == "text" and column.categories:
        yield "categories", _not_among(frozenset(column.categories))
    if column.type == "text" and column.pattern:
        yield "pattern", _unlike(column.pattern)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and not value.strip(" "))


def _outside(low: float, high: float) -> _Check:
    def is_outside(value: Any) -> bool:
        if value.__class__ is float:
            return not low <= value <= high
        return not _is_empty(value) and not low <= _as_number(value) <= high

    return is_outside


def _as_number(value: Any) -> float:
    """An app may send a code that its source keeps as a number; what is none lies outside of every range."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _not_among(known: frozenset[str]) -> _Check:
    def is_another(value: Any) -> bool:
        return value not in known and not _is_empty(value)

    return is_another


def _unlike(pattern: str) -> _Check:
    matches = matcher(pattern)

    def is_unlike(value: Any) -> bool:
        return not _is_empty(value) and not matches(value if value.__class__ is str else str(value))

    return is_unlike
