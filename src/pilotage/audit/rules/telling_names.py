"""What the name of a column says of the people in it.

Words count, not parts of words: *page* is no age. Endings such as ``_count`` or ``_rate`` say that a
column holds a figure about the thing, not the thing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from msgspec import Struct

from pilotage.audit.rules.telling_words import (
    CODES,
    FIGURE_AFTER,
    FIGURE_BEFORE,
    HARMLESS_BESIDE,
    MAYBE_NAMES,
    OF_A_PERSON_ONLY,
    PEOPLE,
    PERSON_ALONE,
    PERSON_IDS,
    PHRASES,
)

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KIND = {phrase: kind for kind, phrases in PHRASES.items() for phrase in phrases}
_KIND |= {phrase.replace("oe", "o").replace("ae", "a").replace("ue", "u"): kind for phrase, kind in _KIND.items()}
_WORDS_MAX = 3
_KEEPS_FLAGS = frozenset(
    ("sex", "marital-status", "ethnicity", "religion", "politics", "union", "health", "sex-life", "genetic", "offence")
)
"""Kinds of which a flag or a count still says something: ``is_pregnant``, ``days_jail``."""


class Hint(Struct, frozen=True):
    """What a name says. ``sure`` is false where only the values can tell."""

    kind: str
    sure: bool = True


def hint_of(column: str, beside: Sequence[str] = ()) -> Hint | None:
    """What this column's name says, None if nothing. ``beside`` are the other columns of its source."""
    words = words_of(column)
    for start, end in _spans(len(words)):
        hint = _hint(words, start, end)
        if hint is not None:
            return hint
    if words in (["first"], ["last"]) and {"first", "last"} <= {name.lower() for name in beside}:
        return Hint("name")
    if words and (words[-1] in MAYBE_NAMES or words[0] in ("name", "nom")):
        return Hint("name", sure=False)
    return None


def words_of(column: str) -> list[str]:
    """The words of a column's name in lower case, without accents: ``dateNaissance`` → date, naissance."""
    plain = column.replace("ß", "ss").replace("E-Mail", "email").replace("e-mail", "email")
    folded = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return [word.lower() for word in _WORD.findall(folded)]


def _spans(count: int) -> Iterator[tuple[int, int]]:
    """Runs of words, the longest first."""
    for length in range(min(_WORDS_MAX, count), 0, -1):
        yield from ((start, start + length) for start in range(count - length + 1))


def _hint(words: list[str], start: int, end: int) -> Hint | None:
    phrase, before, after = "".join(words[start:end]), words[:start], words[end:]
    rest = [*before, *after]
    if phrase in OF_A_PERSON_ONLY:
        alone = all(word in PEOPLE or word in HARMLESS_BESIDE for word in rest)
        return Hint(OF_A_PERSON_ONLY[phrase]) if alone and not (phrase == "race" and "id" in rest) else None
    if _is_person_id(words, phrase, rest):
        return Hint("person-id")
    kind = _KIND.get(phrase)
    if kind is None or (after and after[-1] in FIGURE_AFTER):
        return None
    if kind == "address" and after and after[-1] in CODES:
        return None  # the key of a row elsewhere
    if before and before[0] in FIGURE_BEFORE and kind not in _KEEPS_FLAGS:
        return None
    return Hint("person-id") if kind != "national-id" and after and after[-1] == "hash" else Hint(kind)


def _is_person_id(words: list[str], phrase: str, rest: list[str]) -> bool:
    if phrase in PERSON_IDS:
        return not rest or rest[-1] not in FIGURE_AFTER
    if phrase not in PEOPLE:
        return False
    return (not rest and phrase in PERSON_ALONE) or (
        bool(rest) and words[-1] in CODES and all(word in CODES or word in PEOPLE for word in rest)
    )
