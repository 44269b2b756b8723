"""Turns a document into the records of a use case, and names every place where it does not fit.

msgspec stops at the first mistake, so its type information is walked here. What is missing or wrong is stood in for,
so that the rest can still be looked at; ``Conversion.complete`` says when too much had to be stood in for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence as AnySequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from pilotage.usecase.rules.document import Mapping, Node, Scalar, Sequence
from pilotage.usecase.rules.places import Mistake, Path

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_JSON_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_DURATION = r"^[1-9][0-9]{0,4} (minute|hour|day)s?$"
_SHOWN_MAX = 60
_WRONG = object()


class Conversion:
    """One document on its way to records: the mistakes met, and where everything stands."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.positions: dict[Path, tuple[int, int]] = {}
        self.complete = True

    def converted(self, node: Node, record: type[msgspec.Struct]) -> Any:
        """The document as this record; look at ``mistakes`` before you use it."""
        self._locate(node, (), node.place)
        kind = _type_of(record)
        value = self._value(node, kind, ())
        return self._stand_in(kind) if value is _WRONG else value

    def _locate(self, node: Node, path: Path, place: tuple[int, int]) -> None:
        self.positions[path] = node.place if isinstance(node, Scalar) else place
        if isinstance(node, Mapping):
            for name, value in node.entries.items():
                self._locate(value, (*path, name), node.key_places[name])
        elif isinstance(node, Sequence):
            for number, item in enumerate(node.items):
                self._locate(item, (*path, number), item.place)

    def _wrong(self, path: Path, message: str, repair: str = "", place: tuple[int, int] | None = None) -> Any:
        self.mistakes.append(Mistake(path, message, repair, place))
        return _WRONG

    def _value(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        if isinstance(kind, inspect.Metadata):
            return self._value(node, kind.type, path)
        if isinstance(kind, inspect.AnyType):
            return anything(node)
        if isinstance(kind, inspect.UnionType):
            return self._one_of(node, kind, path)
        if isinstance(node, Scalar) and not node.text and node.plain:
            return self._wrong(path, f"It has no value; {_wanted(kind)} is wanted.", "Give one, or remove the line.")
        if isinstance(kind, inspect.StructType):
            return self._struct(node, kind, path)
        if isinstance(kind, inspect.DictType):
            return self._dict(node, kind, path)
        if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
            return self._list(node, kind, path)
        if not isinstance(node, Scalar):
            return self._unfit(node, kind, path)
        return self._scalar(node, kind, path)

    def _unfit(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        return self._wrong(path, f"{_wanted(kind).capitalize()} is wanted; this is {_got(node)}.", _example(kind))

    def _one_of(self, node: Node, union: inspect.UnionType, path: Path) -> Any:
        """Whichever alternative the shape of the node points at."""
        kinds = [kind for kind in union.types if not isinstance(kind, inspect.NoneType)]
        for kind in kinds:
            bare = _bare(kind)
            if isinstance(node, Mapping) and isinstance(bare, (inspect.StructType, inspect.DictType)):
                return self._value(node, kind, path)
            if isinstance(node, Sequence) and isinstance(bare, (inspect.ListType, inspect.VarTupleType)):
                return self._value(node, kind, path)
        if isinstance(node, Scalar):
            scalars = [kind for kind in kinds if not isinstance(_bare(kind), (inspect.StructType, inspect.ListType))]
            for kind in scalars:
                trial = Conversion()
                value = trial._value(node, kind, path)
                if value is not _WRONG:
                    return value
            if len(scalars) == 1 and node.text:
                return self._value(node, scalars[0], path)
        wanted = " or ".join(_wanted(kind) for kind in kinds)
        return self._wrong(path, f"{wanted[:1].upper()}{wanted[1:]} is wanted; this is {_got(node)}.")

    def _struct(self, node: Node, kind: inspect.StructType, path: Path) -> Any:
        if not isinstance(node, Mapping):
            return self._unfit(node, kind, path)
        fields = {field.encode_name: field for field in kind.fields}
        for name in node.entries:
            if name not in fields:
                self._wrong((*path, name), f"{name} is not a key here.", _nearest(name, fields), node.key_places[name])
        values: dict[str, Any] = {}
        for field in kind.fields:
            if field.encode_name in node.entries:
                value = self._value(node.entries[field.encode_name], field.type, (*path, field.encode_name))
            elif field.required:
                value = self._wrong(
                    path, f"{field.encode_name} is missing.", f"Add {field.encode_name}: {_wanted(field.type)}."
                )
            else:
                continue
            if value is not _WRONG:
                values[field.name] = value
            elif field.required:
                values[field.name] = self._stand_in(field.type)
        return kind.cls(**values)

    def _dict(self, node: Node, kind: inspect.DictType, path: Path) -> Any:
        if not isinstance(node, Mapping):
            return self._unfit(node, kind, path)
        result = {}
        for name, entry in node.entries.items():
            here = (*path, name)
            fault = _name_fault(name, kind.key_type)
            if fault:
                self._wrong(here, fault, place=node.key_places[name])
            value = self._value(entry, kind.value_type, here)
            result[name] = self._stand_in(kind.value_type) if value is _WRONG else value
        return result

    def _list(self, node: Node, kind: inspect.ListType | inspect.VarTupleType, path: Path) -> Any:
        if not isinstance(node, Sequence):
            return self._unfit(node, kind, path)
        found = [self._value(item, kind.item_type, (*path, number)) for number, item in enumerate(node.items)]
        items = [self._stand_in(kind.item_type) if item is _WRONG else item for item in found]
        return tuple(items) if isinstance(kind, inspect.VarTupleType) else items

    def _scalar(self, node: Scalar, kind: inspect.Type, path: Path) -> Any:
        if isinstance(kind, inspect.LiteralType):
            return node.text if node.text in kind.values else self._not_among(node, kind, path)
        if isinstance(kind, inspect.BoolType):
            known = {"true": True, "false": False} if node.plain else {}
            return known[node.text] if node.text in known else self._unfit(node, kind, path)
        if isinstance(kind, (inspect.FloatType, inspect.IntType)):
            return self._number(node, kind, path)
        if isinstance(kind, inspect.StrType):
            fault = _text_fault(node.text, kind)
            return self._wrong(path, fault) if fault else node.text
        raise TypeError(f"records hold a type that the file reader does not know: {kind}")

    def _not_among(self, node: Scalar, kind: inspect.LiteralType, path: Path) -> Any:
        return self._wrong(path, f"{_shown(node.text)} is not known here.", _nearest(node.text, kind.values))

    def _number(self, node: Scalar, kind: inspect.FloatType | inspect.IntType, path: Path) -> Any:
        whole = isinstance(kind, inspect.IntType)
        pattern = _WHOLE if whole else _NUMBER
        if not node.plain or len(node.text) > 40 or not pattern.fullmatch(node.text):
            return self._unfit(node, kind, path)
        value = int(node.text) if whole else float(node.text)
        fault = _limit_fault(value, kind)
        return self._wrong(path, f"{fault} (got {node.text}).") if fault else value

    def _stand_in(self, kind: inspect.Type) -> Any:
        """Something of the right shape in place of what is missing or wrong."""
        kind = _bare(kind)
        if isinstance(kind, inspect.UnionType):
            return self._stand_in(kind.types[0])
        if isinstance(kind, inspect.StructType):
            self.complete = False
            return kind.cls(**{field.name: self._stand_in(field.type) for field in kind.fields if field.required})
        if isinstance(kind, inspect.DictType):
            self.complete = False
            return {}
        if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
            return []
        if isinstance(kind, inspect.LiteralType):
            return kind.values[0]
        if isinstance(kind, inspect.AnyType):
            return None
        if isinstance(kind, inspect.StrType):
            return "1 day" if kind.pattern == _DURATION else ""
        return 0


def positions_of(node: Node) -> dict[Path, tuple[int, int]]:
    """Line and column of everything in a document, for mistakes that somebody else finds in it."""
    conversion = Conversion()
    conversion._locate(node, (), node.place)
    return conversion.positions


def anything(node: Node) -> Any:
    """A document of which nothing is known, as JSON has it: what is quoted or no JSON word or number is a text.

    So ``0123``, ``NO`` and ``2024-01-01`` stay what they are.
    """
    if isinstance(node, Mapping):
        return {name: anything(entry) for name, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [anything(item) for item in node.items]
    if not node.plain:
        return node.text
    if node.text in _JSON_WORDS:
        return _JSON_WORDS[node.text]
    match = _JSON_NUMBER.fullmatch(node.text) if len(node.text) <= 40 else None
    if match is None:
        return node.text
    number = float(node.text) if match[2] or match[3] else int(node.text)
    return number if math.isfinite(number) else node.text


@lru_cache(maxsize=4)
def _type_of(record: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(record)


def _bare(kind: inspect.Type) -> inspect.Type:
    return _bare(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _wanted(kind: inspect.Type) -> str:
    """A type in words."""
    kind = _bare(kind)
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(str(value) for value in kind.values)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_wanted(one) for one in kind.types if not isinstance(one, inspect.NoneType))
    words: dict[type, str] = {
        inspect.StrType: "a text",
        inspect.IntType: "a whole number",
        inspect.FloatType: "a number",
        inspect.BoolType: "true or false",
        inspect.ListType: "a list",
        inspect.VarTupleType: "a list",
        inspect.StructType: "a group of keys",
        inspect.DictType: "a group of keys",
        inspect.AnyType: "a value",
    }
    return words[type(kind)]


def _got(node: Node) -> str:
    if isinstance(node, Scalar):
        return f"the text {_shown(node.text)}" if node.text else "nothing"
    return "a list" if isinstance(node, Sequence) else "a group of keys"


def _shown(text: str) -> str:
    return f"'{text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + '…'}'"


def _example(kind: inspect.Type) -> str:
    kind = _bare(kind)
    if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
        return "Write it in brackets: [one, two]."
    if isinstance(kind, inspect.StructType):
        return f"Its keys: {', '.join(field.encode_name for field in kind.fields)}."
    if isinstance(kind, (inspect.FloatType, inspect.IntType)):
        return "Write it without quotes and without a unit."
    return ""


def _nearest(name: str, known: AnySequence[Any] | dict[str, Any]) -> str:
    names = [str(one) for one in known]
    near = get_close_matches(name, names, 1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names)}."


def _text_fault(text: str, kind: inspect.StrType) -> str:
    if kind.pattern and not re.search(kind.pattern, text):
        return f"{_shown(text)} does not fit. {_PATTERNS.get(kind.pattern, f'The pattern is {kind.pattern}.')}"
    if kind.min_length and len(text.strip()) < kind.min_length:
        return "It is empty; a text is wanted."
    if kind.max_length and len(text) > kind.max_length:
        return f"It has {len(text)} characters; {kind.max_length} are the most."
    return ""


def _limit_fault(value: float, kind: inspect.FloatType | inspect.IntType) -> str:
    if kind.ge is not None and value < kind.ge:
        return f"It must be at least {kind.ge:g}"
    if kind.gt is not None and value <= kind.gt:
        return f"It must be more than {kind.gt:g}"
    if kind.le is not None and value > kind.le:
        return f"It must be at most {kind.le:g}"
    if kind.lt is not None and value >= kind.lt:
        return f"It must be less than {kind.lt:g}"
    return ""


def _name_fault(name: str, kind: inspect.Type) -> str:
    kind = _bare(kind)
    if isinstance(kind, inspect.LiteralType) and name not in kind.values:
        return f"{name} is not a key here. {_nearest(name, kind.values)}"
    return _text_fault(name, kind) if isinstance(kind, inspect.StrType) else ""


_PATTERNS = {
    r"^[a-z][a-z0-9_]{0,62}$": "A name has lower-case letters, digits and underscores, begins with a letter, and has "
    "63 characters at most.",
    r"^[A-Za-z][A-Za-z0-9_]{0,62}$": "A name has letters, digits and underscores, begins with a letter, and has 63 "
    "characters at most.",
    _DURATION: "A duration is a number and minutes, hours or days: 90 minutes, 7 days.",
    r"^[A-Z]{3}$": "A currency has three capital letters: USD, EUR.",
}
