"""The rules of a contract as SQL conditions that are true in a row which breaks them.

What is empty breaks ``required`` and nothing else: null, a text of nothing but blanks, a number that is not one (NaN).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from pilotage.data.contracts.records import ColumnContract, Contract
from pilotage.data.records import ColumnType
from pilotage.platform.quoting import literal, quoted

_TYPES: Mapping[str, ColumnType] = {"BOOLEAN": "flag", "VARCHAR": "text"}
_CAST: Mapping[ColumnType, str] = {"number": "DOUBLE", "datetime": "TIMESTAMP", "flag": "BOOLEAN", "text": "VARCHAR"}


class Condition(Struct, frozen=True):
    """One rule of one column: ``broken`` is its SQL condition, ``value`` what to show of a row that breaks it."""

    column: str
    rule: str
    broken: str
    value: str


def held_as(engine_type: str) -> ColumnType:
    """What kind of value a type of the engine holds."""
    name = engine_type.upper()
    if name.startswith(("TIMESTAMP", "DATE", "TIME")):
        return "datetime"
    return _TYPES.get(name, "number")


def conditions(contract: Contract, types: Mapping[str, str]) -> Iterator[Condition]:
    """Every rule that can be looked at row by row, for the columns that a relation of these engine types has."""
    for name, column in contract.columns.items():
        if name in types:
            yield from _of_column(name, column, held_as(types[name]))


def _of_column(name: str, column: ColumnContract, held: ColumnType) -> Iterator[Condition]:
    here = quoted(name)
    if held == "text":
        empty = f"({here} IS NULL OR trim({here}) = '')"
    else:
        empty = f"isnan(CAST({here} AS DOUBLE))" if held == "number" else "false"
        empty = f"({here} IS NULL OR {empty})"
    if column.required:
        yield Condition(name, "required", empty, "NULL")
    value = f"TRY_CAST({here} AS {_CAST[column.type]})"
    if held != column.type:
        fitting = _fits(here, column.type, held)
        yield Condition(name, "type", f"(NOT {empty} AND NOT coalesce({fitting}, false))", f"CAST({here} AS VARCHAR)")
        if held != "text":
            return
    for rule, broken in _limits(column, value):
        yield Condition(name, rule, f"(NOT {empty} AND {broken})", value)


def _fits(here: str, wanted: ColumnType, held: ColumnType) -> str:
    """Whether a value that is held otherwise is one of the wanted type nevertheless."""
    if held == "text":
        return f"TRY_CAST(trim({here}) AS {_CAST[wanted]}) IS NOT NULL"
    return f"{here} IN (0, 1)" if (wanted, held) == ("flag", "number") else "false"


def _limits(column: ColumnContract, value: str) -> Iterator[tuple[str, str]]:
    if column.type == "number":
        if column.min is not None:
            yield "min", f"{value} < {column.min!r}"
        if column.max is not None:
            yield "max", f"{value} > {column.max!r}"
    if column.type == "text" and column.categories:
        yield "categories", f"{value} NOT IN ({', '.join(literal(each) for each in column.categories)})"
    if column.type == "text" and column.pattern:
        yield "pattern", f"NOT regexp_full_match({value}, {literal(column.pattern)})"
