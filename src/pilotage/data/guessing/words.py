"""The words in a column's name."""

from __future__ import annotations

import re
import unicodedata

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")


def words(name: str) -> list[str]:
    """``OrderDate`` and ``order_date`` are both ['order', 'date']."""
    return [part.lower() for part in _PART.findall(name)]


def in_ascii(text: str) -> str:
    """Letters without their marks; what has no such letter is left out."""
    return unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
