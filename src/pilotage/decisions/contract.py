"""The request contract of a use case, made from its plan: decoder, JSON Schema, errors that name every field."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from pilotage.data.records import SourceTypes
from pilotage.platform.errors import InvalidRequest, Problem
from pilotage.platform.instants import as_utc
from pilotage.platform.strictness import HALF, UNDECODABLE, demand_unique_names, has_half
from pilotage.usecase.records import ColumnKind, Plan, RequestColumn

TEXT_CHARACTERS_MAX = 100_000
_TYPES: dict[ColumnKind, Any] = {
    "number": float,
    "category": str,
    "datetime": dt.datetime,
    "flag": bool,
    "text": Annotated[str, msgspec.Meta(max_length=TEXT_CHARACTERS_MAX)],
}
_ENTITY_MAX = 200
_QUOTED: frozenset[ColumnKind] = frozenset({"category", "datetime", "text"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INTEGER: dict[str, Any] = {"type": "integer"}
_DATE: dict[str, Any] = {"type": "string", "format": "date"}
_WANTED: dict[ColumnKind, str] = {
    "number": "a number",
    "category": "a text",
    "datetime": "an instant such as 2013-12-01T17:00:00Z",
    "flag": "true or false",
    "text": f"a text of at most {TEXT_CHARACTERS_MAX:,} characters",
}
_JSON_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class Contract:
    """Decodes requests of one use case. A request that does not decode is explained field by field.

    ``types`` says which texts are integers and which instants are dates in the source: those may be sent as they are.
    """

    def __init__(self, plan: Plan, types: SourceTypes | None = None) -> None:
        self.entity = plan.entity
        self.columns = plan.request
        self.types = types or SourceTypes()
        fields: list[Any] = [(plan.entity, str)]
        fields += [(name, _TYPES[column.kind]) for name, column in plan.request.items() if column.required]
        fields += [(name, _TYPES[c.kind] | None, None) for name, c in plan.request.items() if not c.required]
        self._type = msgspec.defstruct("Request", fields, kw_only=True, forbid_unknown_fields=True)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._type).decode
        self._fields = tuple(self._type.__struct_fields__)
        quoted = [plan.entity, *(name for name, column in plan.request.items() if column.kind in _QUOTED)]
        self._quoted = _getter(quoted)
        self._names = {name: msgspec.json.encode(name) + b":" for name in self._fields}
        self._instants = tuple(name for name, column in plan.request.items() if column.kind == "datetime")

    def decode(self, body: bytes) -> tuple[str, dict[str, Any]]:
        """Entity and request columns of a JSON body; instants in UTC.

        Raises:
            InvalidRequest: naming each field that is unknown, missing or of another type.
        """
        try:
            values = msgspec.structs.asdict(self._decode(body))
        except UNDECODABLE as error:
            values = msgspec.structs.asdict(self._as_in_source(body, error))
            demand_unique_names(body)
        else:
            self._demand_names_once(body, values)
        return self._checked(values)

    def accept(self, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The same for values that are already Python objects, as in a batch."""
        return self.decode(msgspec.json.encode(dict(values)))

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a request, with units."""
        (reference,), components = msgspec.json.schema_components([self._type], ref_template="{name}")
        schema: dict[str, Any] = components[reference["$ref"]]
        properties = schema["properties"]
        for names, also in ((self.types.whole, _INTEGER), (self.types.days, _DATE)):
            for name in names & properties.keys():
                properties[name] = _either(properties[name], also)
        for name, column in self.columns.items():
            if column.unit:
                properties[name]["description"] = f"in {column.unit}"
        return schema

    def _demand_names_once(self, body: bytes, values: dict[str, Any]) -> None:
        """Refuse a field that comes twice. A body without more quotation marks than its names and texts need has none.

        What is None was left out, or sent as null: then its name stands there too, which no text can look like.
        """
        given = [*values.values(), *self._quoted(values)]
        marks = body.count(b'"') // 2
        told = len(given) - given.count(None)
        if marks != told:
            told += sum([name in body for name in [self._names[each] for each in values if values[each] is None]])
        if marks != told:
            demand_unique_names(body)

    def demand_columns(self, columns: Collection[str]) -> None:
        """That the columns of a table can be a request's: with one too many or too few no row of it can.

        Raises:
            InvalidRequest: naming those that are unknown and those that are missing, and once the known ones.
        """
        unknown = [name for name in columns if name not in self._fields]
        needed = [self.entity, *(name for name, column in self.columns.items() if column.required)]
        missing = [name for name in needed if name not in columns]
        parts = [f"unknown are {', '.join(unknown)}"] if unknown else []
        parts += [f"missing are {', '.join(missing)}"] if missing else []
        if parts:
            raise InvalidRequest(
                f"Its columns are not those of a request: {'; '.join(parts)}.",
                f"A request has: {', '.join(self._fields)}.",
            )

    def _checked(self, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        entity = values.pop(self.entity)
        if not 0 < len(entity) <= _ENTITY_MAX or not entity.isprintable():
            got = f"{len(entity)} came" if entity.isprintable() else "others are among them"
            raise _invalid([Problem(self.entity, f"must be a text of 1 to {_ENTITY_MAX} printable characters; {got}.")])
        for name in self._instants:
            if values[name] is not None:
                values[name] = _in_utc(name, values[name])
        return entity, values

    def _as_in_source(self, body: bytes, error: Exception) -> Any:
        """A request that is written as its source writes it, in the contract's terms.

        Raises:
            InvalidRequest: it does not fit nevertheless.
        """
        try:
            given = msgspec.json.decode(body)
        except UNDECODABLE:
            message = f"must be JSON: {HALF}." if has_half(body) else f"must be JSON. {error}."
            repair = "NaN and Infinity are not JSON: leave the field out or send null." if b"NaN" in body else ""
            raise _invalid([Problem("body", message, repair)]) from None
        if not isinstance(given, dict):
            raise _invalid([Problem("body", f"must be a JSON object; {_named(given)} came.")])
        given = {name: self._respelled(name, value) for name, value in given.items()}
        try:
            return msgspec.convert(given, self._type)
        except msgspec.ValidationError:
            raise _invalid(self._problems(given)) from None

    def _respelled(self, name: str, value: Any) -> Any:
        """An integer as the text that training reads, a date as its midnight in UTC, where the source has such."""
        if name in self.types.whole and isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < 2**63 else value
        if name in self.types.days and isinstance(value, str) and _DAY.fullmatch(value):
            return f"{value}T00:00:00Z"
        return value

    def _problems(self, given: dict[str, Any]) -> list[Problem]:
        known = {self.entity: RequestColumn(kind="category"), **self.columns}
        unknown = [name for name in given if name not in known]
        told = "Known: " + ", ".join(known) + "."
        problems = [
            Problem(name, "is not a field of this use case.", told if name == unknown[0] else "") for name in unknown
        ]
        for name, column in known.items():
            if name not in given:
                if column.required:
                    problems.append(Problem(name, f"is missing; wanted {_WANTED[column.kind]}."))
            elif not _fits(given[name], column):
                problems.append(Problem(name, f"must be {_WANTED[column.kind]}; {_named(given[name])} came."))
        return problems


def example_request(plan: Plan, now: dt.datetime) -> str:
    """A request that fits the contract, as JSON over several lines: made-up values of each column's kind."""
    hour = now.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=2)
    made_up: dict[ColumnKind, Any] = {"number": 120, "category": "A1", "datetime": hour, "flag": True}
    made_up["text"] = "What somebody wrote."
    request = {plan.entity: "example-1", **{name: made_up[column.kind] for name, column in plan.request.items()}}
    return msgspec.json.format(msgspec.json.encode(request), indent=2).decode()


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """The values of these names, as a tuple however many they are."""
    if len(names) == 1:
        (only,) = names
        return lambda values: (values[only],)
    return operator.itemgetter(*names)


def _either(schema: dict[str, Any], also: dict[str, Any]) -> dict[str, Any]:
    """A property's schema, or that of its source."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], also]}
    return {"anyOf": [schema, also]}


def _fits(value: Any, column: RequestColumn) -> bool:
    wanted = _TYPES[column.kind] if column.required else _TYPES[column.kind] | None
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return False
    return True


def _invalid(problems: list[Problem]) -> InvalidRequest:
    fields = ", ".join(problem.where for problem in problems)
    return InvalidRequest(f"The request does not fit the contract: {fields}.", problems=problems)


def _named(value: Any) -> str:
    """The kind of a JSON value; never the value itself, which may be somebody's secret."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63:
        return "a number beyond all bounds"
    if isinstance(value, str) and len(value) > TEXT_CHARACTERS_MAX:
        return f"one of {len(value):,}"
    return "null" if value is None else _JSON_NAMES[type(value)]


def _in_utc(name: str, instant: dt.datetime) -> dt.datetime:
    if instant.tzinfo is None:
        raise _invalid([Problem(name, "must name its time zone.", "Add Z for UTC, or an offset such as -05:00.")])
    try:
        return as_utc(instant)
    except InvalidRequest:
        raise _invalid([Problem(name, "must lie between the years 1 and 9999, in UTC.")]) from None
