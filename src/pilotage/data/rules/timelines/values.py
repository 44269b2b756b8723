"""A value as the engine's type of its kind."""

from __future__ import annotations

from pilotage.data.rules.keys import as_text
from pilotage.usecase.records import ColumnKind

ENGINE_TYPES: dict[ColumnKind, str] = {
    "number": "DOUBLE",
    "category": "VARCHAR",
    "datetime": "TIMESTAMP",
    "flag": "BOOLEAN",
    "text": "VARCHAR",
}


def cast(sql: str, kind: ColumnKind) -> str:
    """A value as the engine's type of this kind; a number that is not finite is unknown."""
    if kind in ("category", "text"):
        return as_text(sql)
    typed = f"CAST({sql} AS {ENGINE_TYPES[kind]})"
    return f"CASE WHEN isfinite({typed}) THEN {typed} END" if kind == "number" else typed


def is_known(sql: str) -> str:
    """SQL: whether there is a value to count: a number that is not finite is none, any other value is one unless null.

    Whether it is a number its type says, so that a count alone and a count beside a mean are of the same rows.
    """
    finite = f"coalesce(isfinite(TRY_CAST({sql} AS DOUBLE)), false)"
    return f"CASE WHEN typeof({sql}) IN ('DOUBLE', 'FLOAT') THEN {finite} ELSE {sql} IS NOT NULL END"
