"""Numbers that SQLite keeps as texts: ``12.50``, as programs write amounts. Never ``00123``, ``1e5`` or ``12,50``."""

from __future__ import annotations

_DIGITS_MAX = 17


def is_number(name: str) -> str:
    """SQL: whether a text is a plain number: digits, perhaps a sign and one point, without leading zeros."""
    digits = f"ltrim({name}, '-')"
    return (
        f"(typeof({name}) = 'text' AND {digits} GLOB '[0-9]*' AND {digits} NOT GLOB '*[^0-9.]*' "
        f"AND {digits} NOT GLOB '0[0-9]*' AND {digits} NOT GLOB '*.*.*' AND {digits} NOT GLOB '*.' "
        f"AND length({name}) - length({digits}) < 2 AND length({digits}) <= {_DIGITS_MAX + 1})"
    )


def is_fraction(name: str) -> str:
    """SQL: whether a text is such a number with a point: one without may be an identifier."""
    return f"({is_number(name)} AND {name} GLOB '*.*')"


def all_numbers(name: str, table: str) -> str:
    """SQL: 1 if no text of the column is anything else; stops at the first that is."""
    other = f"typeof({name}) IN ('text', 'blob') AND {name} <> '' AND NOT {is_number(name)}"
    return f"SELECT NOT EXISTS (SELECT 1 FROM {table} WHERE {other})"
