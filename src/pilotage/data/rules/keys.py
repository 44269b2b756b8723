"""Keys as texts, the same whichever way a system keeps them: 5, 5.0 and '5' are one customer."""

from __future__ import annotations


def as_text(sql: str) -> str:
    """SQL: a value as the text of a key: a whole number that is kept as a fraction loses its ``.0``."""
    text = f"CAST({sql} AS VARCHAR)"
    return f"CASE WHEN typeof({sql}) IN ('DOUBLE', 'FLOAT') THEN regexp_replace({text}, '\\.0$', '') ELSE {text} END"


def key_text(value: object) -> str:
    """The same of a value in memory."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
