"""Every operation once: how DuckDB is told to do it, how Python does it, what it takes and what it gives.

``evaluate`` of a strict operation never sees None: where an argument is null, the result is. The others are given what
is there. Where Python's habit differs from DuckDB's (rounding, remainders, letter case), Python is bent to DuckDB.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pilotage.usecase.records import ColumnKind

Takes = ColumnKind | Literal["any", "same", "ordered", "text or number"]

NUMBER_PATTERN = r"^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$"
TIMESTAMP_PATTERN = (
    r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?Z?)?$"
)
_NUMBER = re.compile(NUMBER_PATTERN, re.ASCII)
_TIMESTAMP = re.compile(TIMESTAMP_PATTERN, re.ASCII)
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes", "y"}), frozenset({"false", "f", "0", "no", "n"})
_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_FLOAT_WHOLE_MIN = 2.0**52  # from here on every double is a whole number


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation. ``takes`` lists the arguments' kinds, the last repeated as often as there are more."""

    sql: str
    evaluate: Callable[..., Any]
    takes: tuple[Takes, ...]
    gives: ColumnKind | Literal["same"]
    strict: bool = True
    arithmetic: bool = False


def _remainder(dividend: float, divisor: float) -> float | None:
    if divisor == 0:
        return None
    return math.fmod(dividend, divisor) if math.isfinite(dividend) else math.nan


def _quotient(dividend: float, divisor: float) -> float | None:
    return None if divisor == 0 else dividend / divisor


def _rounded(value: float, digits: int = 0) -> float:
    """Half away from zero, by way of a power of ten, as DuckDB rounds a DOUBLE."""
    if digits:
        power = 10.0 ** abs(digits)
        scaled = value * power if digits > 0 else value / power
        result = _rounded(scaled) / power if digits > 0 else _rounded(scaled) * power
        return result if math.isfinite(result) else value
    size = abs(value)
    if not size < _FLOAT_WHOLE_MIN:
        return float(value)
    whole = math.floor(size)
    return math.copysign(whole + 1 if size - whole >= 0.5 else whole, value)


def _floor(value: float) -> float:
    return float(math.floor(value)) if abs(value) < _FLOAT_WHOLE_MIN else float(value)


def _ceil(value: float) -> float:
    return float(math.ceil(value)) if abs(value) < _FLOAT_WHOLE_MIN else float(value)


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(_one_upper, text))


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_one_lower, text))


def _one_upper(letter: str) -> str:
    """Letter by letter, as DuckDB does: no letter becomes two."""
    if letter == "ß":
        return "ẞ"
    upper = letter.upper()
    return upper if len(upper) == 1 else letter.title() if len(letter.title()) == 1 else letter


def _one_lower(letter: str) -> str:
    return letter.lower()[0]


def _number_from(value: str | float) -> float | None:
    if not isinstance(value, str):
        return float(value)
    return float(value) if _NUMBER.fullmatch(value) else None


def text_from_number(value: float) -> str:
    """A number as text: whole numbers without decimals, others in the shortest form that reads back the same.

    Zero has no sign here: 0 and -0 are one category.
    """
    return repr(float(value)).removesuffix(".0") if value else "0"


def _flag_from(value: str | float) -> bool | None:
    if not isinstance(value, str):
        return value != 0
    word = value.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def timestamp_from(text: str) -> datetime | None:
    """An instant in UTC from ISO 8601 text; None where the text is none."""
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None


def shifted(instant: datetime, span: timedelta) -> datetime | None:
    """The instant moved by a span; None beyond the years that Python knows."""
    try:
        return instant + span
    except OverflowError:
        return None


def _any_of(wanted: Any, *candidates: Any) -> bool | None:
    if wanted is None:
        return None
    unknown = False
    for candidate in candidates:
        if candidate is None:
            unknown = True
        elif candidate == wanted:
            return True
    return None if unknown else False


def _null_if(value: Any, unwanted: Any) -> Any:
    return None if value is not None and unwanted is not None and value == unwanted else value


def _least(*values: Any) -> Any:
    return min((value for value in values if value is not None), default=None)


def _greatest(*values: Any) -> Any:
    return max((value for value in values if value is not None), default=None)


def _weekday(instant: datetime) -> float:
    return float(instant.isoweekday() % 7)


def _extract(part: str, evaluate: Callable[[datetime], float]) -> Operation:
    return Operation(f"CAST(EXTRACT({part} FROM {{0}}) AS DOUBLE)", evaluate, ("datetime",), "number")


def _cast(sql: str, evaluate: Callable[..., Any], takes: Takes, gives: ColumnKind) -> Operation:
    return Operation(sql, evaluate, (takes,), gives)


_TWO_NUMBERS: tuple[Takes, ...] = ("number", "number")
_ORDERED: tuple[Takes, ...] = ("ordered", "ordered")

OPERATIONS: dict[str, Operation] = {
    "+": Operation("({0} + {1})", operator.add, _TWO_NUMBERS, "number", arithmetic=True),
    "-": Operation("({0} - {1})", operator.sub, _TWO_NUMBERS, "number", arithmetic=True),
    "*": Operation("({0} * {1})", operator.mul, _TWO_NUMBERS, "number", arithmetic=True),
    "/": Operation("({0} / NULLIF({1}, 0e0))", _quotient, _TWO_NUMBERS, "number", arithmetic=True),
    "%": Operation("({0} % NULLIF({1}, 0e0))", _remainder, _TWO_NUMBERS, "number", arithmetic=True),
    "minus": Operation("(- {0})", operator.neg, ("number",), "number", arithmetic=True),
    "=": Operation("({0} = {1})", operator.eq, ("same", "same"), "flag"),
    "<>": Operation("({0} <> {1})", operator.ne, ("same", "same"), "flag"),
    "<": Operation("({0} < {1})", operator.lt, _ORDERED, "flag"),
    "<=": Operation("({0} <= {1})", operator.le, _ORDERED, "flag"),
    ">": Operation("({0} > {1})", operator.gt, _ORDERED, "flag"),
    ">=": Operation("({0} >= {1})", operator.ge, _ORDERED, "flag"),
    "NOT": Operation("(NOT {0})", operator.not_, ("flag",), "flag"),
    "IS NULL": Operation("({0} IS NULL)", lambda value: value is None, ("any",), "flag", strict=False),
    "IN": Operation("({0} IN ({rest}))", _any_of, ("same",), "flag", strict=False),
    "LIKE": Operation("({0} LIKE {parameter})", bool, ("category",), "flag"),
    "COALESCE": Operation("COALESCE({all})", bool, ("same",), "same", strict=False),
    "NULLIF": Operation("NULLIF({0}, {1})", _null_if, ("same", "same"), "same", strict=False),
    "LEAST": Operation("LEAST({all})", _least, ("ordered",), "same", strict=False),
    "GREATEST": Operation("GREATEST({all})", _greatest, ("ordered",), "same", strict=False),
    "ABS": Operation("ABS({0})", abs, ("number",), "number", arithmetic=True),
    "FLOOR": Operation("FLOOR({0})", _floor, ("number",), "number", arithmetic=True),
    "CEIL": Operation("CEIL({0})", _ceil, ("number",), "number", arithmetic=True),
    "ROUND": Operation("ROUND({0}, {parameter})", _rounded, ("number",), "number", arithmetic=True),
    "LOWER": Operation("LOWER({0})", _lower, ("category",), "category"),
    "UPPER": Operation("UPPER({0})", _upper, ("category",), "category"),
    "TRIM": Operation("TRIM({0})", lambda text: text.strip(_SPACES), ("category",), "category"),
    "LENGTH": Operation("CAST(LENGTH({0}) AS DOUBLE)", lambda text: float(len(text)), ("category",), "number"),
    "||": Operation("({0} || {1})", operator.add, ("category", "category"), "category"),
    "CONCAT": Operation(
        "CONCAT({all})", lambda *texts: "".join(t for t in texts if t is not None), ("category",), "category", False
    ),
    "shift": Operation("({0} {parameter})", shifted, ("datetime",), "datetime"),
    "EXTRACT YEAR": _extract("YEAR", lambda instant: float(instant.year)),
    "EXTRACT MONTH": _extract("MONTH", lambda instant: float(instant.month)),
    "EXTRACT DAY": _extract("DAY", lambda instant: float(instant.day)),
    "EXTRACT DOW": _extract("DOW", _weekday),
    "EXTRACT HOUR": _extract("HOUR", lambda instant: float(instant.hour)),
    "EXTRACT MINUTE": _extract("MINUTE", lambda instant: float(instant.minute)),
    "CAST TO NUMBER": _cast(
        "TRY_CAST(regexp_extract(CAST({0} AS VARCHAR), '{number_pattern}') AS DOUBLE)",
        _number_from,
        "text or number",
        "number",
    ),
    "CAST TO TEXT": Operation(
        r"regexp_replace(regexp_replace(CAST(CAST({0} AS DOUBLE) AS VARCHAR), '\.0$', ''), '^-0$', '0')",
        text_from_number,
        ("number",),
        "category",
    ),
    "CAST TO BOOLEAN": _cast("TRY_CAST({0} AS BOOLEAN)", _flag_from, "text or number", "flag"),
    "CAST TO TIMESTAMP": _cast(
        "TRY_CAST(regexp_extract({0}, '{timestamp_pattern}') AS TIMESTAMP)", timestamp_from, "category", "datetime"
    ),
}
