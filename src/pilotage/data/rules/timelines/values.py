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
