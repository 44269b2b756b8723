"""The words in a column's name."""

from __future__ import annotations

import re
import unicodedata

IDENTIFIERS = frozenset({"id", "key", "number", "no", "nr", "uuid", "guid", "code", "nummer"})
BARE = frozenset({"id", "key", "number", "no", "nr", "uuid", "guid", "code", "pk", "rowid", "index", "name", "value"})
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")


def words(name: str) -> list[str]:
    """``OrderDate`` and ``order_date`` are both ['order', 'date']."""
    return [part.lower() for part in _PART.findall(name)]


def is_identifier(name: str) -> bool:
    """Named like something that tells rows apart: ``order_id``, ``OrderNo``, ``Kundennr``, ``id``."""
    parts = words(name)
    return bool(parts) and (parts[-1] in IDENTIFIERS or name.lower().endswith(("id", "nr", "nummer")))


def is_bare(name: str) -> bool:
    """Named like an identifier and not like one of what: an ``id`` of orders is none of customers."""
    return set(words(name)) <= BARE


def singular(parts: list[str]) -> tuple[str, ...]:
    """Words without a plural s, so that ``customer`` and ``customers`` are the same."""
    return tuple(part[:-1] if len(part) > 3 and part.endswith("s") else part for part in parts)


def in_ascii(text: str) -> str:
    """Letters without their marks; what has no such letter is left out."""
    return unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
