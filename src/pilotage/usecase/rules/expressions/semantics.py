"""Every operation once: how each engine is told to do it, how Python does it, what it takes and what it gives.

``evaluate`` of a strict operation never sees None: where an argument is null, the result is. The others are given what
is there. The values are those of :mod:`values`; an engine whose own operation gives others is told another way, or the
operation is refused for it.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions import templates, values

Takes = ColumnKind | Literal["any", "same", "ordered", "text or number"]


@dataclasses.dataclass(frozen=True)
class Refused:
    """An engine cannot do an operation identically; ``why`` completes "SQLite cannot do UPPER as here: it …"."""

    why: str


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation. ``takes`` lists the arguments' kinds, the last repeated as often as there are more.

    ``sql`` is DuckDB's; ``sqlite`` and ``postgresql`` are None where they are told the same. ``from_number`` is how all
    engines cast a number where they cast a text otherwise. ``overflows``: the result may be no finite number though the
    arguments are; ``arithmetic``: what is no finite number stays so, and is made null where the arithmetic ends.
    """

    sql: str
    evaluate: Callable[..., Any]
    takes: tuple[Takes, ...]
    gives: ColumnKind | Literal["same"]
    strict: bool = True
    arithmetic: bool = False
    overflows: bool = False
    sqlite: str | Refused | None = None
    postgresql: str | Refused | None = None
    from_number: str = ""


def _extract(part: str, sqlite: str, evaluate: Callable[[datetime], float]) -> Operation:
    sql = f"CAST(EXTRACT({part} FROM {{0}}) AS DOUBLE"
    return Operation(
        f"{sql})", evaluate, ("datetime",), "number", sqlite=f"CAST({sqlite} AS REAL)", postgresql=f"{sql} PRECISION)"
    )


def _arithmetic(
    sql: str,
    evaluate: Callable[[float, float], float | None],
    postgresql: str | Refused | None = None,
    sqlite: str = "",
) -> Operation:
    return Operation(
        sql,
        evaluate,
        ("number", "number"),
        "number",
        arithmetic=True,
        overflows=True,
        sqlite=sqlite or None,
        postgresql=postgresql,
    )


def _of_number(sql: str, evaluate: Callable[..., float]) -> Operation:
    return Operation(sql, evaluate, ("number",), "number", arithmetic=True)


def _compared(sign: str, evaluate: Callable[[Any, Any], bool], takes: Takes = "ordered") -> Operation:
    return Operation(f"({{0}} {sign} {{1}})", evaluate, (takes, takes), "flag")


_OTHER_LETTERS = Refused("changes the case of ASCII letters only")
_NUMBER_FROM_TEXT = "TRY_CAST(regexp_extract(CAST({0} AS VARCHAR), '{number_pattern}') AS DOUBLE)"
_TEXT_FROM_NUMBER = r"regexp_replace(regexp_replace(CAST(CAST({0} AS DOUBLE) AS VARCHAR), '\.0$', ''), '^-0$', '0')"
_LEAST = "(WITH t(v) AS MATERIALIZED (SELECT {union}) SELECT MIN(v) FROM t)"

OPERATIONS: dict[str, Operation] = {
    "+": _arithmetic("({0} + {1})", values.total),
    "-": _arithmetic("({0} - {1})", values.difference),
    "*": _arithmetic("({0} * {1})", values.product),
    "/": _arithmetic("({0} / {divisor})", values.quotient),
    "%": _arithmetic(
        "({0} % {divisor})",
        values.remainder,
        sqlite="MOD({0}, {1})",
        postgresql=Refused("has no remainder of floating-point numbers"),
    ),
    "minus": _of_number("(- {0})", operator.neg),
    "=": _compared("=", operator.eq, "same"),
    "<>": _compared("<>", operator.ne, "same"),
    "<": _compared("<", operator.lt),
    "<=": _compared("<=", operator.le),
    ">": _compared(">", operator.gt),
    ">=": _compared(">=", operator.ge),
    "NOT": Operation("(NOT {0})", operator.not_, ("flag",), "flag"),
    "IS NULL": Operation("({0} IS NULL)", lambda value: value is None, ("any",), "flag", strict=False),
    "IN": Operation("({0} IN ({rest}))", values.any_of, ("same",), "flag", strict=False),
    "LIKE": Operation("({0} LIKE {parameter})", bool, ("category",), "flag", sqlite="({0} GLOB {parameter})"),
    "COALESCE": Operation("COALESCE({all})", bool, ("same",), "same", strict=False),
    "NULLIF": Operation("NULLIF({0}, {1})", values.null_if, ("same", "same"), "same", strict=False),
    "LEAST": Operation("LEAST({all})", values.least, ("ordered",), "same", strict=False, sqlite=_LEAST),
    "GREATEST": Operation(
        "GREATEST({all})", values.greatest, ("ordered",), "same", strict=False, sqlite=_LEAST.replace("MIN", "MAX")
    ),
    "ABS": _of_number("ABS({0})", abs),
    "FLOOR": _of_number("FLOOR({0})", values.floor),
    "CEIL": _of_number("CEIL({0})", values.ceil),
    "ROUND": _of_number("ROUND({0}, {parameter})", values.rounded),
    "LOWER": Operation(
        "LOWER({0})",
        values.lower,
        ("category",),
        "category",
        sqlite=_OTHER_LETTERS,
        postgresql="translate({0}, {letters})",
    ),
    "UPPER": Operation(
        "UPPER({0})",
        values.upper,
        ("category",),
        "category",
        sqlite=_OTHER_LETTERS,
        postgresql="translate({0}, {letters})",
    ),
    "TRIM": Operation(
        "TRIM({0})",
        values.trimmed,
        ("category",),
        "category",
        sqlite=f"TRIM({{0}}, '{values.SPACES}')",
        postgresql=f"BTRIM({{0}}, '{values.SPACES}')",
    ),
    "LENGTH": Operation(
        "CAST(LENGTH({0}) AS DOUBLE)",
        values.length,
        ("category",),
        "number",
        sqlite="CAST(LENGTH({0}) AS REAL)",
        postgresql="CAST(CHAR_LENGTH({0}) AS DOUBLE PRECISION)",
    ),
    "||": Operation("({0} || {1})", operator.add, ("category", "category"), "category"),
    "CONCAT": Operation("CONCAT({all})", values.concatenated, ("category",), "category", strict=False),
    "shift": Operation("({0} {parameter})", values.shifted, ("datetime",), "datetime", sqlite=templates.SQLITE_SHIFTED),
    "EXTRACT YEAR": _extract("YEAR", "substr({0}, 1, 4)", lambda instant: float(instant.year)),
    "EXTRACT MONTH": _extract("MONTH", "substr({0}, 6, 2)", lambda instant: float(instant.month)),
    "EXTRACT DAY": _extract("DAY", "substr({0}, 9, 2)", lambda instant: float(instant.day)),
    "EXTRACT DOW": _extract("DOW", "strftime('%w', {0})", values.weekday),
    "EXTRACT HOUR": _extract("HOUR", "substr({0}, 12, 2)", lambda instant: float(instant.hour)),
    "EXTRACT MINUTE": _extract("MINUTE", "substr({0}, 15, 2)", lambda instant: float(instant.minute)),
    "CAST TO NUMBER": Operation(
        _NUMBER_FROM_TEXT,
        values.number_from,
        ("text or number",),
        "number",
        sqlite=templates.SQLITE_NUMBER_FROM_TEXT,
        postgresql=templates.POSTGRESQL_NUMBER_FROM_TEXT,
        from_number="{0}",
    ),
    "CAST TO TEXT": Operation(
        _TEXT_FROM_NUMBER,
        values.text_from_number,
        ("number",),
        "category",
        sqlite=templates.SQLITE_TEXT_FROM_NUMBER,
        postgresql=templates.POSTGRESQL_TEXT_FROM_NUMBER,
    ),
    "CAST TO BOOLEAN": Operation(
        "TRY_CAST({0} AS BOOLEAN)",
        values.flag_from,
        ("text or number",),
        "flag",
        sqlite=templates.FLAG_FROM_TEXT,
        postgresql=templates.FLAG_FROM_TEXT,
        from_number="({0} <> 0)",
    ),
    "CAST TO TIMESTAMP": Operation(
        "TRY_CAST(regexp_extract({0}, '{timestamp_pattern}') AS TIMESTAMP)",
        values.timestamp_from,
        ("category",),
        "datetime",
        sqlite=templates.SQLITE_TIMESTAMP_FROM_TEXT,
        postgresql=templates.POSTGRESQL_TIMESTAMP_FROM_TEXT,
    ),
}
