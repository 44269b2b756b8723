"""What a broken promise reads like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from pilotage.data.contracts.records import ColumnContract, Contract
from pilotage.platform.instants import as_utc

_SHOWN_MAX = 80
_A = {"number": "number", "text": "text", "datetime": "instant", "flag": "true or false"}


def number(value: float) -> str:
    """A number as people read it."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.6g}"


def sentence(
    column: str, rule: str, promised: ColumnContract, rows: int, counted: str, values: Mapping[str, tuple[str, str]]
) -> str:
    """What is wrong with a column in how many rows; ``values`` holds per condition the first and last value, if shown.

    ``counted`` is such as "12 of 336,776 new rows".
    """
    if rule == "range":
        return _range(column, promised, rows, counted, values)
    shown = _example(values.get(rule), rows)
    if rule == "required":
        return f"{column} is empty in {counted}; its contract wants it always."
    if rule == "type":
        return f"{column} is {shown or 'something else'} in {counted}: no {_A[promised.type]}, as its contract wants."
    if rule == "categories":
        count = len(promised.categories)
        wanted = f"not {promised.categories[0]!r}" if count == 1 else f"not one of the {count} values"
        return f"{column} is {shown or 'another'} in {counted}: {wanted} that its contract names."
    return f"{column} is {shown or 'another'} in {counted}: it does not match {promised.pattern}."


def _range(
    column: str, promised: ColumnContract, rows: int, counted: str, values: Mapping[str, tuple[str, str]]
) -> str:
    low, high = values.get("min"), values.get("max")
    if low and high and promised.min is not None and promised.max is not None:
        allowed = f"{number(promised.min)} to {number(promised.max)}"
        worst = f"goes from {_figure(low[0])} to {_figure(high[1])}" if low[0] and high[1] else "lies outside"
        return f"{column} {worst} in {counted}: its contract allows {allowed}."
    if high and promised.max is not None:
        worst = f" {'up to ' if high[0] != high[1] else ''}{_figure(high[1])}" if high[1] else " too large"
        return f"{column} is{worst} in {counted}: more than the {number(promised.max)} that its contract allows."
    worst, least = " too small", promised.min if promised.min is not None else -math.inf
    if low and low[0]:
        worst = f" {'down to ' if low[0] != low[1] else ''}{_figure(low[0])}"
    return f"{column} is{worst} in {counted}: less than the {number(least)} that its contract allows."


def _figure(text: str) -> str:
    return number(float(text))


def _example(span: tuple[str, str] | None, rows: int) -> str:
    """The first value, or nothing where it may not be shown."""
    if not span or not span[0]:
        return ""
    text = span[0] if len(span[0]) <= _SHOWN_MAX else span[0][:_SHOWN_MAX] + "…"
    return f"'{text}'" if span[0] == span[1] else f"such as '{text}'"


def twice(column: str, values: int, counted: str) -> str:
    """That values stand more than once."""
    what = "A value" if values == 1 else f"{values:,} values"
    verb = "stands" if values == 1 else "stand"
    return f"{what} of {column} {verb} more than once, in {counted}; its contract wants each once."


def gone(contract: Contract, column: str) -> str:
    """That a column is not there."""
    return f"{contract.contract} has no column {column}, which its contract promises."


def stale(contract: Contract, newest: datetime | None, now: datetime) -> str:
    """That the newest row is too old."""
    if newest is None:
        return f"{contract.contract} has no row whose age is known; its contract allows {contract.freshness}."
    age = as_utc(now) - as_utc(newest)
    hours = age.total_seconds() / 3600
    old = f"{hours:,.0f} hours" if hours < 72 else f"{hours / 24:,.0f} days"
    said = f"The newest row of {contract.contract} became known {as_utc(newest):%Y-%m-%d %H:%M} UTC, {old} ago"
    return f"{said}; its contract allows {contract.freshness}."
