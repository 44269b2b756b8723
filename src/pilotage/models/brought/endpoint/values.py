"""Column values as JSON has them: what is missing is null, a datetime RFC 3339, a coded text its number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pilotage.usecase.records import ColumnKind

_NAN = float("nan")


def sent(value: Any, kind: ColumnKind, codes: Mapping[str, float] | None) -> Any:
    """One value.

    Raises:
        ValueError: a number is a text that is none.
    """
    if value is None:
        return None
    if codes is not None:
        return codes.get(str(value))
    if kind == "number":
        number = float(value)
        return number if number - number == 0.0 else None
    if kind == "flag":
        return bool(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return str(value)


def rows_of(table: Any, names: tuple[str, ...], kinds: Mapping[str, ColumnKind], codes: Mapping[str, Any]) -> list[Any]:
    """Rows × columns of many rows."""
    columns = [[sent(value, kinds[name], codes.get(name)) for value in table[name].to_pylist()] for name in names]
    return [list(row) for row in zip(*columns, strict=True)]
