"""The glossary's words on pages: a button that opens what the word means, without any script."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path

from markupsafe import Markup

_SHIPPED = Path(__file__).with_name("glossary.md")
"""Where a built package has the document."""
_WRITTEN = Path(__file__).parents[3] / "docs" / "glossary.md"
_ENTRY = re.compile(r"^\| \*\*(?P<word>[^*]+)\*\* \| (?P<means>.*) \|$", re.MULTILINE)
_numbers = itertools.count(1)


@functools.cache
def glossary() -> dict[str, str]:
    """What each word means, by the word in small letters: ``docs/glossary.md``, which is the only place it is said."""
    text = (_SHIPPED if _SHIPPED.exists() else _WRITTEN).read_text(encoding="utf-8")
    return {found["word"].lower(): _plain(found["means"]) for found in _ENTRY.finditer(text)}


def term(word: str, shown: str = "") -> Markup:
    """A word of the glossary, shown as it is or otherwise, that says on a click what it means.

    Raises:
        KeyError: the glossary does not have it.
    """
    means, number = glossary()[word.lower()], next(_numbers)
    return Markup(
        '<button type="button" class="term" popovertarget="term-{0}">{1}</button>'
        '<span popover class="definition" id="term-{0}"><b>{2}</b> {3}</span>'
    ).format(number, shown or word, word, means)


def _plain(text: str) -> str:
    return re.sub(r"[*`]", "", text).replace("\\|", "|")
