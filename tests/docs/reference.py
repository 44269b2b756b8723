"""The reference pages of the files that people write, made from their records: ``python -m tests.docs.reference``."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Meta, Struct

from pilotage.data.contracts.records import Contract
from pilotage.usecase import records
from pilotage.usecase.records import UseCase
from tests.docs import access

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"

_TERMS: dict[str, Any] = {
    "name": records.Name,
    "identifier": records.Identifier,
    "expression": records.Expression,
    "duration": records.Duration,
    "column": records.SourceColumn,
}
"""Types that have a word of their own, explained at the head of each page."""
_PLAIN = {str: "text", bool: "true or false", int: "whole number", float: "number", type(Any): "anything"}
_GENERATED = "<!-- Made from the code: python -m tests.docs.reference -->\n"
_USE_CASE = """\
# The use-case file

One YAML file per use case, checked by `pilotage check FILE`.
[late_arrival.yaml](../../examples/dispatch/late_arrival.yaml) is a whole one, `pilotage init` drafts one from your
data, and `pilotage schema > use-case.schema.json` gives an editor the same keys. A key that is not named here is
refused, with the nearest that is. Every source needs either `event_time` and `known_at`, or `static: true`.

What a source may be is explained in [sources](sources.md), how to begin in
[Point Pilotage at your data](../how-to/point-at-your-data.md).
"""
_CONTRACT = """\
# The contract file

One YAML file per source, `contracts/<source>.yaml` beside the use-case file. It is drafted by
`pilotage contract draft`, checked by `pilotage contract check`, and counts from the next `pilotage sync FILE` on;
`pilotage schema contract` prints its JSON Schema. How to work with it: [contracts](../how-to/contracts.md).

```yaml
contract: arrivals
version: 1.0.0
owner: data-desk@airline.example
severity: warns
freshness: 6 hours
columns:
  flight_id: {type: text, required: true, unique: true}
  arr_delay: {type: number, unit: minutes, min: -90, max: 880, severity: blocks}
  origin: {type: text, categories: [EWR, JFK, LGA]}
```

What is empty (null, a text of blanks, a number that is not one) breaks `required` and no other rule. `min` and `max`
are for numbers, `categories` and `pattern` for texts.
"""


def pages() -> dict[Path, str]:
    """The text of each generated page, by its place."""
    return {
        FOLDER / "use-case-file.md": page(_USE_CASE, UseCase),
        FOLDER / "contract-file.md": page(_CONTRACT, Contract),
        FOLDER / "access.md": _GENERATED + access.page(),
    }


def page(head: str, root: type[Struct]) -> str:
    """A page: its head, the words for types, one table per record in the order in which the file has them."""
    tables = [_table(record) for record in _records(root)]
    return "\n".join([_GENERATED + head, _words(tables), *tables])


def _words(tables: list[str]) -> str:
    lines = [line for table in tables for line in table.splitlines() if line.startswith("| `")]
    kinds = " ".join(line.split(" | ")[1] for line in lines).split()
    used = [(word, _meta(alias, "description")) for word, alias in _TERMS.items() if word in kinds]
    rows = "".join(f"| {word} | {description} |\n" for word, description in used)
    return f"## Words for types\n\n| word | means |\n| --- | --- |\n{rows}"


def _records(root: type[Struct]) -> list[type[Struct]]:
    found = [root]
    for hint in typing.get_type_hints(root, include_extras=True).values():
        for part in _parts(hint):
            found += [record for record in _records(part) if record not in found]
    return found


def _parts(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for argument in typing.get_args(hint):
        yield from _parts(argument)


def _table(record: type[Struct]) -> str:
    hints = typing.get_type_hints(record, include_extras=True)
    rows = [_row(field, hints[field.name]) for field in msgspec.structs.fields(record)]
    docs = " ".join((record.__doc__ or "").split())
    head = ("| key | type | default | means |", "| --- | --- | --- | --- |")
    return "\n".join([f"## {record.__name__}\n", f"{docs}\n", *head, *rows, ""])


def _row(field: msgspec.structs.FieldInfo, hint: Any) -> str:
    says = _says(hint).replace("|", "\\|")
    return f"| `{field.encode_name}` | {_type(hint)} | {_default(field)} | {says} |"


def _type(hint: Any) -> str:
    """A type in words, with its limits; a record's links to its table."""
    if typing.get_origin(hint) is typing.Annotated:
        word = _term(hint)
        return word or _type(hint.__origin__) + _limits(hint)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(each) for each in arguments if each is not type(None))
    if origin in (list, tuple):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"{_type(arguments[0])} → {_type(arguments[1])}"
    return _PLAIN.get(hint, "anything")


def _term(hint: Any) -> str:
    own = {meta.pattern or meta.description for meta in hint.__metadata__ if isinstance(meta, Meta)}
    for word, alias in _TERMS.items():
        pattern = _meta(alias, "pattern")
        same = pattern in own if pattern else hint.__metadata__[: len(alias.__metadata__)] == alias.__metadata__
        if same:
            return word
    return ""


def _limits(hint: Any) -> str:
    low, high = _meta(hint, "ge"), _meta(hint, "le")
    above, below = _meta(hint, "gt"), _meta(hint, "lt")
    said = [f"at least {low:,}" if low is not None else "", f"at most {high:,}" if high is not None else ""]
    said += [f"above {above:,}" if above is not None else "", f"below {below:,}" if below is not None else ""]
    known = [each for each in said if each]
    return f", {', '.join(known)}" if known else ""


def _says(hint: Any) -> str:
    """What the field's own annotation says; what a word of the head says already is not repeated."""
    described = [meta.description for meta in getattr(hint, "__metadata__", ()) if getattr(meta, "description", None)]
    known = {_meta(alias, "description") for alias in _TERMS.values()}
    return next((str(text) for text in reversed(described) if text not in known), "")


def _meta(hint: Any, key: str) -> Any:
    values = [getattr(meta, key, None) for meta in getattr(hint, "__metadata__", ())]
    return next((value for value in reversed(values) if value is not None), None)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if isinstance(default, Struct):
        return "as below"
    if default in ("", None) or default == [] or default == {}:
        return ""
    if isinstance(default, (tuple, list)):
        return ", ".join(f"`{value}`" for value in default)
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    for place, text in pages().items():
        place.write_text(text, encoding="utf-8")
