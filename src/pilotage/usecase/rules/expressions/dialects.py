"""What differs between DuckDB, SQLite and PostgreSQL beneath the operations: columns, literals, null for no number.

A column is expected as our sources deliver it. SQLite has no type for flags and instants: a flag is 0 or 1, an instant
ISO text, in UTC where it has no offset. PostgreSQL's session is in UTC.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

from pilotage.platform.quoting import literal
from pilotage.usecase.records import ColumnKind

Dialect = Literal["duckdb", "sqlite", "postgresql"]
SHORT = 160
"""Up to so many characters a text is written twice; a longer one is bound, so that nesting does not double it."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """How an engine writes what stands below every operation.

    ``column`` makes the values of a column of known kind those of the closure, ``finite`` makes null of what is no
    finite number, ``in_years`` of an instant outside the years 1 to 9999.
    """

    name: str
    types: dict[ColumnKind, str]
    column: Callable[[str, ColumnKind], str]
    finite: Callable[[str], str]
    in_years: Callable[[str], str]
    number: Callable[[float], str]
    text: Callable[[str], str]
    timestamp: str


def double(value: float) -> str:
    """A literal that DuckDB and SQLite read as a double; without an exponent it would be INTEGER or DECIMAL."""
    text = repr(float(value))
    return text if "e" in text else text.removesuffix(".0") + "e0"


def bound_in_duckdb(value: str, body: str) -> str:
    """The value as ``v`` in the body, computed once."""
    if len(value) <= SHORT:
        return f"({body.replace('{v}', value)})"
    return f"list_transform([{value}], lambda v: {body.replace('{v}', 'v')})[1]"


def bound(body: str, *values: str) -> str:
    """In SQLite and PostgreSQL: the values as ``v`` and ``w`` in the body, computed once."""
    names = ", ".join("vw"[: len(values)])
    return f"(WITH t({names}) AS MATERIALIZED (SELECT {', '.join(values)}) SELECT {body} FROM t)"


def _duckdb_column(name: str, kind: ColumnKind) -> str:
    if kind == "datetime":
        return f"(CAST({name} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
    return f"CAST({name} AS {_DUCKDB_TYPES[kind]})"


def _sqlite_column(name: str, kind: ColumnKind) -> str:
    if kind == "number":
        return f"CAST({name} AS REAL)"
    if kind == "category":
        return f"(CAST({name} AS TEXT) COLLATE BINARY)"
    return f"({name} <> 0)" if kind == "flag" else _sqlite_instant(name)


def _sqlite_instant(name: str) -> str:
    """Canonical text to the microsecond, in UTC, whatever separator and offset it has: its order is that of time."""
    whole = (
        f"CASE WHEN substr({name}, 17, 1) = ':' THEN substr({name}, 1, 19) || ltrim(substr({name}, 20), '.0123456789')"
    )
    fraction = f"CASE WHEN substr({name}, 20, 1) = '.' THEN CAST('0' || substr({name}, 20, 7) AS REAL) ELSE 0.0 END"
    return f"(strftime('%Y-%m-%d %H:%M:%S', {whole} ELSE {name} END) || substr(printf('%.6f', {fraction}), 2))"


def _postgresql_column(name: str, kind: ColumnKind) -> str:
    if kind == "datetime":
        within = f"{name} BETWEEN timestamptz '0001-01-01 00:00:00+00' AND timestamptz '9999-12-31 23:59:59.999999+00'"
        return f"CASE WHEN {within} THEN CAST({name} AS timestamptz) AT TIME ZONE 'UTC' END"
    typed = f"CAST({name} AS {_POSTGRESQL_TYPES[kind]})"
    return f'({typed} COLLATE "C")' if kind == "category" else typed


def _postgresql_in_years(sql: str) -> str:
    before, after = "timestamp '0001-12-31 23:59:59.999999 BC'", "timestamp '10000-01-01'"
    return f"NULLIF(LEAST(NULLIF(GREATEST({sql}, {before}), {before}), {after}), {after})"


_DUCKDB_TYPES: dict[ColumnKind, str] = {
    "number": "DOUBLE",
    "category": "VARCHAR",
    "flag": "BOOLEAN",
    "datetime": "TIMESTAMP",
}
_SQLITE_TYPES: dict[ColumnKind, str] = {"number": "REAL", "category": "TEXT", "flag": "INTEGER", "datetime": "TEXT"}
_POSTGRESQL_TYPES: dict[ColumnKind, str] = {
    "number": "double precision",
    "category": "text",
    "flag": "boolean",
    "datetime": "timestamp",
}

ENGINES: dict[Dialect, Engine] = {
    "duckdb": Engine(
        name="DuckDB",
        types=_DUCKDB_TYPES,
        column=_duckdb_column,
        finite=lambda sql: bound_in_duckdb(sql, "CASE WHEN isfinite({v}) THEN {v} END"),
        in_years=lambda sql: bound_in_duckdb(sql, "CASE WHEN year({v}) BETWEEN 1 AND 9999 THEN {v} END"),
        number=double,
        text=literal,
        timestamp="TIMESTAMP ",
    ),
    "sqlite": Engine(
        name="SQLite",
        types=_SQLITE_TYPES,
        column=_sqlite_column,
        finite=lambda sql: f"NULLIF(NULLIF({sql}, 9e999), -9e999)",
        in_years=lambda sql: f"NULLIF(MAX({sql}, '0001'), '0001')",
        number=double,
        text=literal,
        timestamp="",
    ),
    "postgresql": Engine(
        name="PostgreSQL",
        types=_POSTGRESQL_TYPES,
        column=_postgresql_column,
        finite=lambda sql: f"NULLIF(NULLIF(NULLIF({sql}, 'NaN'), 'Infinity'), '-Infinity')",
        in_years=_postgresql_in_years,
        number=lambda value: f"'{value!r}'::double precision",
        text=lambda value: f'({literal(value)}::text COLLATE "C")',
        timestamp="TIMESTAMP ",
    ),
}
