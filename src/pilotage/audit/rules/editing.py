"""Edits of a use-case file that leave every other line as it is: no comment, quote, blank or order changes elsewhere.

Dumping the whole document again would reflow it, and comments that stand between two sections would go to the wrong
one. So only whole entries are put in, taken out or written anew, line by line, and what comes out is read again and
held against what was meant. Entries in braces are the exception: their parent entry is written anew by ruamel.yaml.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from pilotage.platform.errors import InvalidFile

Path = tuple[str, ...]


def with_entry(text: str, path: Path, name: str, lines: str) -> str:
    """The text with an entry added at the end of the mapping at ``path``, which is made where there is none.

    ``lines`` are the entry's own, without indentation, such as ``hour: {derived: …}``.

    Raises:
        InvalidFile: the text is not a mapping there, or has the entry already, or came out other than meant.
    """
    document = _loaded(text)
    wanted = _plain(document)
    parent = _made(wanted, path)
    if name in parent:
        raise InvalidFile(
            f"{'.'.join((*path, name))} is there already.", "Remove it, or give the new one another name."
        )
    parent.update(_plain(_loaded(lines)))
    changed = _inserted(text, document, path, lines)
    return _checked(changed, wanted)


def is_written(text: str, path: Path) -> bool:
    """Whether the text has an entry at ``path``, be it an empty one."""
    document = _loaded(text)
    return _is_there(document, path[:-1]) and path[-1] in _found(document, path[:-1])


def without_entry(text: str, path: Path) -> str:
    """The text without the entry at ``path``; comments above it go with it when they are indented as it is.

    Raises:
        InvalidFile: there is no such entry, or the text came out other than meant.
    """
    document = _loaded(text)
    wanted = _plain(document)
    parent = _found(wanted, path[:-1])
    if path[-1] not in parent:
        raise InvalidFile(f"There is no {'.'.join(path)} in the file.", "It may have been removed already.")
    del parent[path[-1]]
    node = _found(document, path[:-1])
    if node.fa.flow_style():
        del node[path[-1]]
        return _checked(_rewritten(text, document, path[:-1]), wanted)
    begin, end = _span(text, document, path)
    lines = text.splitlines(keepends=True)
    return _checked("".join([*lines[:begin], *lines[end:]]), wanted)


def without_items(text: str, path: Path, items: Sequence[str]) -> str:
    """The text without some items of the list, or keys of the mapping, at ``path``.

    Raises:
        InvalidFile: there is no such entry, or the text came out other than meant.
    """
    for item in items:
        node = _found(_loaded(text), path)
        if item not in node:
            raise InvalidFile(f"{'.'.join(path)} has no {item}.", "It may have been removed already.")
        text = without_entry(text, (*path, item)) if isinstance(node, dict) else _without_item(text, path, item)
    return text


def _without_item(text: str, path: Path, item: str) -> str:
    document = _loaded(text)
    node = _found(document, path)
    position = list(node).index(item)
    begin = node.lc.item(position)[0]
    del node[position]
    wanted = _plain(document)
    if node.fa.flow_style():
        return _checked(_rewritten(text, document, path), wanted)
    lines = text.splitlines(keepends=True)
    return _checked("".join([*lines[:begin], *lines[begin + 1 :]]), wanted)


def _inserted(text: str, document: Any, path: Path, lines: str) -> str:
    """The lines after the last one of the mapping, indented as its entries are; a missing mapping is begun."""
    depth = next((n for n in range(len(path), 0, -1) if _is_there(document, path[:n])), 0)
    for name in reversed(path[depth:]):
        lines = f"{name}:\n{_indented(lines, 2)}"
    place = path[:depth]
    node = _found(document, place)
    if place and (not node or node.fa.flow_style()):
        node.update(_loaded(lines))
        if not node.fa.flow_style():
            node.fa.set_block_style()
        return _rewritten(text, document, place)
    end, column = _end_of(text, document, place)
    existing = text.splitlines(keepends=True)
    newline = "\r\n" if existing and existing[0].endswith("\r\n") else "\n"
    if existing and not existing[-1].endswith("\n"):
        existing[-1] += newline
    added = _indented(lines, column).replace("\n", newline) + newline
    blank = [newline] if not place and path else []  # a new section of the file stands by itself
    return "".join([*existing[:end], *blank, added, *existing[end:]])


def _end_of(text: str, document: Any, place: Path) -> tuple[int, int]:
    """After which line a mapping ends, and at which column its entries stand."""
    node = _found(document, place)
    last = list(node)[-1]
    return _span(text, document, (*place, last))[1], node.lc.key(last)[1]


def _span(text: str, document: Any, path: Path) -> tuple[int, int]:
    """The first line of an entry and the one after its last, from 0: up to what is not indented deeper."""
    begin, column = _found(document, path[:-1]).lc.key(path[-1])
    end = begin + 1
    in_list = isinstance(_found(document, path), list)
    lines = text.splitlines()
    for number in range(begin + 1, len(lines)):
        line = lines[number].strip()
        indentation = len(lines[number]) - len(lines[number].lstrip(" "))
        if line and indentation <= column and not (in_list and indentation == column and line.startswith("-")):
            break
        if line:
            end = number + 1
    return begin, end


def _rewritten(text: str, document: Any, path: Path) -> str:
    """The text with the entry at ``path`` written anew from the changed document; the remark behind it stays."""
    begin, end = _span(text, document, path)
    parent = _found(document, path[:-1])
    column = parent.lc.key(path[-1])[1]
    parent.ca.items.pop(path[-1], None)
    _undress(parent[path[-1]])
    out = io.StringIO()
    _yaml().dump({path[-1]: parent[path[-1]]}, out)
    lines = text.splitlines(keepends=True)
    remark = _remark("".join(lines[begin:end]))
    written = out.getvalue().rstrip("\n") + remark
    newline = "\r\n" if lines[begin].endswith("\r\n") else "\n"
    return "".join([*lines[:begin], _indented(written, column).replace("\n", newline) + newline, *lines[end:]])


def _undress(node: Any) -> None:
    """Take the comments off a node: those below it stand outside of its lines, and stay there."""
    node.ca.comment, node.ca.end = None, []
    node.ca.items.clear()


def _remark(entry: str) -> str:
    """What stands behind an entry in braces, with the blanks before it."""
    for found in re.finditer(r"[\]}](?=[ \t]+#)", entry):
        try:
            _loaded(textwrap.dedent(entry[: found.end()]))
        except InvalidFile:
            continue
        return entry[found.end() :].rstrip()
    return ""


def _indented(lines: str, column: int) -> str:
    return "\n".join(f"{' ' * column}{line}" if line else line for line in lines.split("\n"))


def _checked(text: str, wanted: Any) -> str:
    if _plain(_loaded(text)) != wanted:
        raise InvalidFile(
            "The file is written in a way that cannot be edited line by line.",
            "Nothing was changed. Add the lines by hand: the audit's plan has them.",
        )
    return text


def _yaml() -> Any:
    from ruamel.yaml import YAML

    made = YAML(typ="rt")
    made.preserve_quotes = True
    made.width = 100_000
    return made


def _loaded(text: str) -> Any:
    from ruamel.yaml import YAMLError

    try:
        return _yaml().load(text)
    except YAMLError as error:
        raise InvalidFile(f"This is not YAML: {' '.join(str(error).split())}", "See pilotage check.") from None


def _plain(node: Any) -> Any:
    """The content without its dress."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _is_there(document: Any, path: Path) -> bool:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return isinstance(document, dict)


def _found(document: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            raise InvalidFile(f"There is no {'.'.join(path)} in the file.", "It may have been removed already.")
        document = document[name]
    return document


def _made(document: Any, path: Path) -> Any:
    for name in path:
        document = document.setdefault(name, {})
    return document
