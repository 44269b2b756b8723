"""JSON Schemas as people read them: the fields of a body, of what type each is, and within which limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup
from msgspec import Struct

from pilotage.platform.counting import plural

Schema = Mapping[str, Any]
_REFERENCE = "#/components/schemas/"
_CHOICES_MAX = 20
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "format": "as {}",
    "pattern": "fits {}",
}


_COUNTS = {
    "minLength": ("at least", "letter"),
    "maxLength": ("at most", "letter"),
    "minItems": ("at least", "element"),
    "maxItems": ("at most", "element"),
}


class Field(Struct, frozen=True):
    """One field or parameter: its type as HTML with links, and what is to be known of it."""

    name: str
    type: Markup
    required: bool
    says: str
    limits: tuple[str, ...]
    where: str = ""
    """Of a parameter: path, query or header."""


class Body(Struct, frozen=True):
    """What is sent or replied under one name: its fields, or none where it is not an object of known fields."""

    name: str
    says: str
    fields: tuple[Field, ...]


def type_of(schema: Schema) -> Markup:
    """``array of <a>Finding</a>``; names of bodies are links to their place on the page."""
    if name := _named(schema):
        return Markup('<a href="#{}">{}</a>').format(place(name), short(name))
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(dict.fromkeys(type_of(each) for each in several))
    kind = schema.get("type", "any" if "enum" not in schema else _kind_of(schema["enum"]))
    if kind == "array":
        return Markup("array of {}").format(type_of(schema["items"])) if schema.get("items") else Markup("array")
    if isinstance(schema.get("additionalProperties"), Mapping):
        return Markup("object of {} by name").format(type_of(schema["additionalProperties"]))
    return Markup("{}").format(kind if isinstance(kind, str) else " or ".join(kind))


def limits(schema: Schema) -> tuple[str, ...]:
    """What a value must keep to, and what it is where it is left out."""
    found = [words.format(schema[name]) for name, words in _LIMITS.items() if name in schema]
    found += [f"{bound} {plural(schema[name], noun)}" for name, (bound, noun) in _COUNTS.items() if name in schema]
    for each in (schema, *schema.get("anyOf", ())):
        if choices := each.get("enum"):
            more = f" and {len(choices) - _CHOICES_MAX} more" if len(choices) > _CHOICES_MAX else ""
            found.append(f"one of {', '.join(str(choice) for choice in choices[:_CHOICES_MAX])}{more}")
    for each in schema.get("anyOf", ()):
        found += [limit for limit in limits(each) if limit not in found]
    if schema.get("default") not in (None, "", (), [], {}):
        found.append(f"else {msgspec.json.encode(schema['default']).decode()}")
    return tuple(found)


def parameter(told: Schema) -> Field:
    """A parameter of an operation."""
    schema = told["schema"]
    is_required = told.get("required", False)
    return Field(told["name"], type_of(schema), is_required, says(told), limits(schema), told["in"])


def body(name: str, schema: Schema) -> Body:
    """A schema under its name."""
    required = schema.get("required", ())
    fields = [
        Field(field, type_of(of), field in required, says(of), limits(of))
        for field, of in schema.get("properties", {}).items()
    ]
    return Body(name, says(schema), tuple(fields))


def bodies(schemas: Sequence[Schema], known: Mapping[str, Schema]) -> list[Body]:
    """What these schemas name, and what is named by that in turn; each once, in the order in which they come up."""
    found: dict[str, Body] = {}
    waiting = [name for schema in schemas for name in _names(schema)]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = body(name, known[name])
            waiting += _names(known[name])
    return list(found.values())


def says(schema: Schema) -> str:
    """The description as one paragraph, with code between single backticks."""
    text = re.sub(r":\w+:`[~.]*([^`]*)`", r"`\1`", str(schema.get("description", ""))).replace("``", "`")
    return " ".join(text.split())


def short(name: str) -> str:
    """``Answer`` of ``pilotage.decisions.records.Answer``."""
    return name.rpartition(".")[2] if name.startswith("pilotage.") else name


def place(name: str) -> str:
    """Where on the page a body stands."""
    return f"body-{name}"


def _named(schema: Schema) -> str:
    return str(schema.get("$ref", "")).removeprefix(_REFERENCE)


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield _named(schema)
        for each in schema.values():
            yield from _names(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _names(each)


def _kind_of(choices: Sequence[Any]) -> str:
    return "string" if all(isinstance(choice, str) for choice in choices) else "any"
