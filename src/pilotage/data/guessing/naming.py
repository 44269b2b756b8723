"""Names as a request and an expression may have them."""

from __future__ import annotations

import re

from pilotage.data.guessing.words import in_ascii, words
from pilotage.usecase.rules.expressions import ExpressionError, parse
from pilotage.usecase.rules.expressions.tree import ColumnReference

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}", re.ASCII)


def column_text(name: str) -> str:
    """A column as an expression names it: in double quotes where it is no plain word."""
    try:
        plain = parse(name) == ColumnReference(name)
    except ExpressionError:  # a word of SQL, or not a word
        plain = False
    return name if plain else '"' + name.replace('"', '""') + '"'


def request_name(column: str, taken: set[str]) -> str:
    """A column's name as a request has it: letters, digits and underscores."""
    plain = column if _IDENTIFIER.fullmatch(column) else "_".join(words(in_ascii(column)))
    plain = (plain if plain[:1].isalpha() else f"column_{plain}".rstrip("_"))[:60]
    name, number = plain, 2
    while name.lower() in taken or name in ("entity", "moment", "rule", "label"):
        name, number = f"{plain}_{number}", number + 1
    return name


def is_use_case_name(name: str) -> bool:
    """Whether a use case can be called so."""
    return _NAME.fullmatch(name) is not None


def use_case_name(text: str) -> str:
    """A text as a use case can be called: ``My Price`` is ``my_price``; empty where nothing is left of it."""
    plain = re.sub(r"[^a-z0-9]+", "_", in_ascii(text).lower()).strip("_")
    if not plain:
        return ""
    return (plain if plain[0].isalpha() else f"case_{plain}")[:63].rstrip("_")
