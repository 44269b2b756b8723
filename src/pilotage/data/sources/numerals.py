"""How texts give numbers: plain, as engines write them, or with the decimal sign that a source declares.

``1.234,56`` is a number where the source says ``decimal: ","``, and ``1,234.56`` where it says ``decimal: "."``: the
other sign, a blank or an apostrophe may stand between thousands. Leading zeros make a text of it, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import Source

PLAIN = r"-?((0|[1-9]\d{0,17})(\.\d*)?|\.\d+)"
"""A number without anything between its thousands."""

_BLANKS = "'’ \u00a0\u202f"
_THOUSANDS = {",": f".{_BLANKS}", ".": f",{_BLANKS}"}


def pattern(decimal: str) -> str:
    """A regular expression of numbers with this decimal sign; all thousands are parted by the same sign, or by none."""
    parted = "|".join(rf"[1-9]\d{{0,2}}([{sign}]\d{{3}}){{1,5}}" for sign in _THOUSANDS[decimal])
    return rf"-?((0|[1-9]\d{{0,17}}|{parted})([{decimal}]\d{{1,18}})?|[{decimal}]\d{{1,18}})"


def fits(text: str, decimal: str) -> str:
    """SQL: whether a text is a number with this decimal sign."""
    return f"regexp_full_match({text}, {literal(pattern(decimal))})"


def number(text: str, decimal: str) -> str:
    """SQL: the number; an error that repeats the text where it is none."""
    bare = f"replace(translate({text}, {literal(_THOUSANDS[decimal])}, ''), {literal(decimal)}, '.')"
    wrong = f"error(concat('it is written as ', {literal(f'1{decimal}5')}, ' and holds ', left({text}, 40)))"
    return f"CASE WHEN {text} IS NULL THEN NULL WHEN {fits(text, decimal)} THEN CAST({bare} AS DOUBLE) ELSE {wrong} END"


def text_of(name: str, source: Source) -> str:
    """SQL: a column's text; null where it is empty, or one of those that the source reads as missing."""
    column = quoted(name)
    if not source.missing:
        return f"nullif({column}, '')"
    listed = ", ".join(literal(text) for text in ("", *source.missing))
    return f"(CASE WHEN {column} IN ({listed}) THEN NULL ELSE {column} END)"


def counted(names: Sequence[str], source: Source) -> str:
    """SQL: of each column, how many values it has, and how many are numbers with the declared decimal sign."""
    texts = [text_of(name, source) for name in names]
    return ", ".join(f"count({text}), count_if({fits(text, source.decimal)})" for text in texts)
