"""The lines of a card as a page shows them: paragraphs, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

_BOLD = re.compile(r"^\*\*(.+?):\*\* (.*)$")


class Block(Struct, frozen=True):
    """One paragraph, the items of a list (a name, which may be empty, and a text), or the rows of a table."""

    paragraph: str = ""
    items: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def blocks(lines: Sequence[str]) -> list[Block]:
    """What belongs together stands together."""
    found = []
    for mark, some in groupby(lines, key=lambda line: line[0] if line[0] in "-|" else ""):
        if mark == "-":
            found.append(Block(items=tuple(_item(line[2:]) for line in some)))
        elif mark == "|":
            found.append(Block(rows=tuple(_cells(line) for line in some if "---" not in line)))
        else:
            found += [Block(paragraph=_plain(line)) for line in some]
    return found


def _item(line: str) -> tuple[str, str]:
    named = _BOLD.match(line)
    return (named[1], _plain(named[2])) if named else ("", _plain(line))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def _plain(text: str) -> str:
    return text.replace("`", "")
