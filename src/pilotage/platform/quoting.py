"""Names and texts inside SQL, quoted in the one dialect that is written here."""

from __future__ import annotations


def quoted(identifier: str) -> str:
    """A name as SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL literal."""
    return "'" + text.replace("'", "''") + "'"
