"""The texts of the card, one JSON file per language, named by its code (ISO 639-1): another language is another file.

``card`` holds what the element in the browser says, ``sentences`` what the server says of a decision. Every file has
the texts of English, with the same blanks in braces.
"""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec
from msgspec import Struct

_BLANK = re.compile(r"\{(\w+)\}")


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """All texts of one language; ``name`` is what its speakers call it."""

    name: str
    card: dict[str, str]
    sentences: dict[str, str]


class IncompleteLanguage(ValueError):
    """A language's file lacks texts, has unknown ones, or other blanks than English."""


def read(documents: dict[str, bytes]) -> dict[str, Texts]:
    """Every language by its code, held against English.

    Raises:
        IncompleteLanguage: naming the file and each text that does not fit.
    """
    found = {code: msgspec.json.decode(content, type=Texts) for code, content in documents.items()}
    for code, texts in found.items():
        faults = [*_faults(texts.card, found["en"].card), *_faults(texts.sentences, found["en"].sentences)]
        if faults:
            raise IncompleteLanguage(f"languages/{code}.json: {'; '.join(faults)}.")
    return found


def _faults(texts: dict[str, str], english: dict[str, str]) -> list[str]:
    missing = [f"'{key}' is missing" for key in english if not texts.get(key)]
    unknown = [f"'{key}' is not asked for" for key in texts if key not in english]
    blanks = [
        f"'{key}' may only have the blanks {sorted(set(_BLANK.findall(english[key])))}"
        for key in english
        if texts.get(key) and not set(_BLANK.findall(texts[key])) <= set(_BLANK.findall(english[key]))
    ]
    return missing + unknown + blanks


LANGUAGES = read(
    {
        entry.name.removesuffix(".json"): entry.read_bytes()
        for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".json")
    }
)
"""What is spoken here, by code."""
