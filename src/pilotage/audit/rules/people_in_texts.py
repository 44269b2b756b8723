"""People in texts: whole names, names inside a sentence, streets with a number; by word lists and forms, no model."""

from __future__ import annotations

import re

_PERSON = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]*)*")
_SALUTED = re.compile(
    r"\b(?:Dear|Hi|Hello|Hallo|Liebe[rs]?|Cher|Chère|Bonjour|Estimad[oa]|Hola|regards|sincerely|yours|cheers|thanks|"
    r"Gr(?:ü|ue)(?:ß|ss)en?|cordialement|saludos),?[ \t]*\r?\n?[ \t]*(?P<first>[A-ZÀ-Þ][\w'’-]+)"
)
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Herrn?|Frau|Mme|Monsieur|Madame|Señora?|Sra|Signora?)\.? [A-ZÀ-Þ][a-zß-ÿ'’-]{2,}"
)
_FULL = re.compile(r"\b(?P<first>[A-ZÀ-Þ][a-zß-ÿ]+) (?:[A-Z]\.? )?[A-ZÀ-Þ][a-zß-ÿ'’-]{2,}")
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?,? (?:[A-Z][\w.'’-]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Court)\b"
    r"|\b[A-ZÄÖÜ][\wäöüß.-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer) ?\d{1,4}\b"
    r"|\b\d{1,4},? ?(?:bis |ter )?(?:rue|boulevard|chemin|impasse|allée|quai) (?:d\w{0,2}['’ ])?[\w'’ -]{3,}"
    r"|\b(?:Calle|Avenida|Avda\.?|Paseo|C/) ?[A-ZÁÉÍÓÚÑ][\w'’ áéíóúñ]+,? \d{1,4}\b",
)
_WORDS_MAX = 4
_PHRASE_BLANKS = 3
_SENTENCE_BLANKS = 7  # shorter ones are names of things too: John F Kennedy Intl


def is_person(value: str, first_names: frozenset[str]) -> bool:
    """One to four words, one of the first two (or after a comma) a first name."""
    words = value.replace(",", " ").split()
    if not 1 <= len(words) <= _WORDS_MAX or not all(_PERSON.fullmatch(word) for word in words):
        return False
    return any(word.lower().split("-")[0] in first_names for word in words[:2])


def names_person(text: str, first_names: frozenset[str]) -> bool:
    """A salutation or a title, or in a sentence a first name before another capitalised word."""
    blanks = text.count(" ")
    if blanks < _PHRASE_BLANKS:
        return False
    patterns = (_SALUTED, _FULL) if blanks >= _SENTENCE_BLANKS else (_SALUTED,)
    named = any(match["first"].lower() in first_names for pattern in patterns for match in pattern.finditer(text))
    return named or _TITLED.search(text) is not None


def has_street(text: str) -> bool:
    """A street with its number, as English, German, French or Spanish addresses have it."""
    return _STREET.search(text) is not None
