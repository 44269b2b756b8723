"""What people can be called, and which names are taken for each other."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_NAME = re.compile(r"[\w][\w .@-]{0,78}[\w]")
_BETWEEN_WORDS = re.compile(r"[ .@_-]+")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Alphabets that are written in one word: "highly restrictive" of Unicode Technical Standard 39, section 5.2."""
_OF_NONE = frozenset({"MODIFIER", "COMBINING", "IDEOGRAPHIC"})
# From the confusables of the same standard: letters of Cyrillic and Greek as they look in small and in capital letters.
_LIKE_SMALL = str.maketrans("аеорсухіјѕһԁԛԝӏαορυνικгτ", "aeopcyxijshdqwlaopuvikyt")
_LIKE_CAPITAL = str.maketrans("АВЕЅІЈКМНОРСТУХԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABESIJKMHOPCTYXQWABEZHIKMNOPTYX")


def fault_of(name: str) -> tuple[str, str] | None:
    """Why nobody can be called so, and what to do; None where they can."""
    if _NAME.fullmatch(name) is None:
        return (
            f"A person's name must have 2 to 80 letters, digits, spaces or . @ - _ (got {len(name)} characters).",
            "Choose the name that the person will log in with.",
        )
    for word in _BETWEEN_WORDS.split(unicodedata.normalize("NFKC", name)):
        letters = {alphabet: letter for letter in reversed(word) if (alphabet := _alphabet_of(letter))}
        if len(letters) > 1 and not any(letters.keys() <= each for each in _TOGETHER):
            found = " and ".join(f"{letter} of {alphabet.capitalize()}" for alphabet, letter in sorted(letters.items()))
            return (
                f"The word '{word}' of a person's name has letters of several alphabets ({found}).",
                "Write each word in one: letters that look the same would let one person pass for another.",
            )
    return None


def is_name(name: str) -> bool:
    """Whether somebody can be called so."""
    return fault_of(name) is None


def likeness(name: str) -> frozenset[str]:
    """Two names that would be taken for each other have one of these in common, others have none.

    They differ only in case, width or spaces (caseless matching of Unicode 3.13, D146), or in letters of another
    alphabet that look the same, written small or as capitals.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).casefold()
    plain = " ".join(folded.split())
    return frozenset({plain, plain.translate(_LIKE_SMALL), plain.upper().translate(_LIKE_CAPITAL)})


@cache
def _alphabet_of(letter: str) -> str:
    """The alphabet as the letter's name says it, such as LATIN; empty for digits and what belongs to none."""
    if not letter.isalpha():
        return ""
    alphabet = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return "" if alphabet in _OF_NONE else alphabet
