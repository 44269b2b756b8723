"""Compiles an expression into a Python closure over one row: microseconds, where a query costs half a millisecond."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pilotage.platform.instants import as_utc
from pilotage.usecase.rules.expressions.parsing import parse
from pilotage.usecase.rules.expressions.semantics import OPERATIONS
from pilotage.usecase.rules.expressions.tree import Call, ColumnReference, Constant, Node
from pilotage.usecase.rules.expressions.values import like_letters

Row = Mapping[str, Any]
Closure = Callable[[Row], Any]


@lru_cache(maxsize=1024)
def compile_row(text: str) -> Closure:
    """The expression as a function of a row: column → value, None where unknown or absent.

    Values are numbers, texts, booleans and instants; an instant without a zone is read as UTC, results are in UTC.

    Raises:
        ExpressionError: the text is not an allowed expression.
    """
    return _compiled(parse(text))


def _compiled(node: Node) -> Closure:
    if isinstance(node, Constant):
        value = node.value
        return lambda row: value
    if isinstance(node, ColumnReference):
        return _column(node.name)
    special = _SPECIAL.get(node.operation)
    parts = [_compiled(argument) for argument in node.arguments]
    if special is not None:
        return special(node, parts)
    operation = OPERATIONS[node.operation]
    if not operation.strict:
        evaluate = operation.evaluate
        return lambda row: evaluate(*(part(row) for part in parts))
    if len(parts) == 1:
        return _strict_of_one(operation.evaluate, parts[0])
    constant = node.arguments[1]
    if isinstance(constant, Constant) and constant.value is not None:
        return _strict_with(operation.evaluate, parts[0], constant.value)
    return _strict_of_two(operation.evaluate, parts[0], parts[1])


def _column(name: str) -> Closure:
    def value(row: Row) -> Any:
        found: Any = row.get(name)
        kind = type(found)
        if kind is float:
            return found if found - found == 0.0 else None
        if kind is int:
            return _as_float(found)
        return as_utc(found) if kind is datetime and found.tzinfo is not UTC else found

    return value


def _as_float(whole: int) -> float | None:
    try:
        return float(whole)
    except OverflowError:
        return None


def _strict_of_one(evaluate: Callable[[Any], Any], part: Closure) -> Closure:
    def value(row: Row) -> Any:
        only = part(row)
        return None if only is None else evaluate(only)

    return value


def _strict_with(evaluate: Callable[[Any, Any], Any], part: Closure, constant: Any) -> Closure:
    def value(row: Row) -> Any:
        only = part(row)
        return None if only is None else evaluate(only, constant)

    return value


def _strict_of_two(evaluate: Callable[[Any, Any], Any], left: Closure, right: Closure) -> Closure:
    def value(row: Row) -> Any:
        first = left(row)
        if first is None:
            return None
        second = right(row)
        return None if second is None else evaluate(first, second)

    return value


def _and(node: Call, parts: list[Closure]) -> Closure:
    def value(row: Row) -> bool | None:
        unknown = False
        for part in parts:
            found = part(row)
            if found is None:
                unknown = True
            elif not found:
                return False
        return None if unknown else True

    return value


def _or(node: Call, parts: list[Closure]) -> Closure:
    def value(row: Row) -> bool | None:
        unknown = False
        for part in parts:
            found = part(row)
            if found is None:
                unknown = True
            elif found:
                return True
        return None if unknown else False

    return value


def _case(node: Call, parts: list[Closure]) -> Closure:
    branches = list(zip(parts[:-1:2], parts[1::2], strict=True))
    otherwise = parts[-1]

    def value(row: Row) -> Any:
        for when, then in branches:
            if when(row):
                return then(row)
        return otherwise(row)

    return value


def _coalesce(node: Call, parts: list[Closure]) -> Closure:
    def value(row: Row) -> Any:
        for part in parts:
            found = part(row)
            if found is not None:
                return found
        return None

    return value


def _like(node: Call, parts: list[Closure]) -> Closure:
    wildcards = {"%": ".*", "_": "."}
    letters = like_letters(str(node.parameter))
    pattern = "".join(wildcards[letter] if is_wildcard else re.escape(letter) for letter, is_wildcard in letters)
    matches = re.compile(pattern, re.DOTALL).fullmatch
    return _strict_of_one(lambda text: matches(text) is not None, parts[0])


def _shift(node: Call, parts: list[Closure]) -> Closure:
    count, unit = node.parameter if isinstance(node.parameter, tuple) else (0, "SECOND")
    return _strict_with(OPERATIONS["shift"].evaluate, parts[0], timedelta(**{f"{unit.lower()}s": count}))


def _round(node: Call, parts: list[Closure]) -> Closure:
    return _strict_with(OPERATIONS["ROUND"].evaluate, parts[0], node.parameter or 0)


_SPECIAL: dict[str, Callable[[Call, list[Closure]], Closure]] = {
    "AND": _and,
    "OR": _or,
    "CASE": _case,
    "COALESCE": _coalesce,
    "LIKE": _like,
    "shift": _shift,
    "ROUND": _round,
}
