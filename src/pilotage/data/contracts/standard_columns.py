"""A property of the Open Data Contract Standard as a column of ours, and back without a loss.

Each thing that both can say has a *get*, which reads it from a property, and a *put*, which writes it there. Writing
puts only what a property does not say already: so one that was imported comes out as it came in, part for part.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, get_args

from pilotage.data.contracts.patterns import faults
from pilotage.data.contracts.records import ColumnContract, Severity
from pilotage.data.records import ColumnType
from pilotage.govern.records import Mask, Purpose, Sensitivity

Property = dict[str, Any]
_LOGICAL: Mapping[str, ColumnType] = {
    "string": "text",
    "time": "text",
    "date": "datetime",
    "timestamp": "datetime",
    "number": "number",
    "integer": "number",
    "boolean": "flag",
}
_TYPES: Mapping[ColumnType, str] = {
    "text": "string",
    "datetime": "timestamp",
    "number": "number",
    "flag": "boolean",
}
_PHYSICAL: tuple[tuple[str, ColumnType], ...] = (
    (r"bool|^bit$", "flag"),
    (r"date|time", "datetime"),
    (r"int|num|dec|float|double|real|money|serial", "number"),
)
_NESTED = re.compile(r"json|struct|map|array|list|record|\brow\b|object|variant|\[\]", re.IGNORECASE)
_CLASSES: Mapping[str, Sensitivity] = {
    "public": "public",
    "internal": "internal",
    "confidential": "confidential",
    "restricted": "confidential",
    "secret": "confidential",
    "personal": "personal",
    "pii": "personal",
    "special": "special",
    "phi": "special",
}
_DEFAULT = ColumnContract(type="text")


def type_of(given: Property) -> ColumnType | None:
    """Our type of a property; None of one that holds others, which no column of ours can be."""
    logical = given.get("logicalType")
    if logical is not None:
        return _LOGICAL.get(logical)
    physical = str(given.get("physicalType", ""))
    if not physical or _NESTED.search(physical):
        return None
    return next((ours for pattern, ours in _PHYSICAL if re.search(pattern, physical, re.IGNORECASE)), "text")


def name_of(given: Property) -> str:
    """What the source calls it."""
    return str(given.get("physicalName") or given.get("name", ""))


def column_of(given: Property, sole_key: bool) -> ColumnContract | None:
    """A property as a column; None where it cannot be one. ``sole_key``: it alone is the primary key of its object."""
    kind = type_of(given)
    if kind is None:
        return None
    said = {field: get(given, sole_key) for field, (get, _) in _LENSES.items()}
    return ColumnContract(type=kind, **said)


def property_of(rest: Property, name: str, column: ColumnContract, sole_key: bool) -> Property:
    """A column as a property: what was left of an imported one, with what the contract says now."""
    made = copy.deepcopy(rest)
    if name_of(made) != name:
        made["physicalName" if made.get("physicalName") else "name"] = name
    if type_of(made) != column.type:
        made["logicalType"] = _TYPES[column.type]
    for field, (get, put) in _LENSES.items():
        wanted = getattr(column, field)
        if get(made, sole_key) != wanted:
            put(made, wanted)
    made.setdefault("name", name)
    return made


def custom(holder: Property, name: str) -> Any:
    """The value of a custom property; None where there is none."""
    return next((each["value"] for each in holder.get("customProperties") or () if each["property"] == name), None)


def set_custom(holder: Property, name: str, value: Any) -> None:
    """Write a custom property, or remove it where the value is None."""
    known: list[dict[str, Any]] = holder.get("customProperties") or []
    if value is None:
        known = [each for each in known if each["property"] != name]
    elif any(each["property"] == name for each in known):
        known = [{**each, "value": value} if each["property"] == name else each for each in known]
    else:
        known = [*known, {"property": name, "value": value}]
    if known:
        holder["customProperties"] = known
    else:
        holder.pop("customProperties", None)


def _flag(name: str, metric: str, implied_by_key: Callable[[Property, bool], bool]) -> Any:
    """``required`` and ``unique``: said, or implied by a quality rule or by being the key."""

    def get(given: Property, sole_key: bool) -> bool:
        if any(_wants_none(each, metric) for each in given.get("quality") or ()):
            return True
        return bool(given[name]) if name in given else implied_by_key(given, sole_key)

    def put(given: Property, value: bool) -> None:
        given[name] = value
        if not value and "quality" in given:
            given["quality"] = [each for each in given["quality"] if not _wants_none(each, metric)]

    return get, put


def _wants_none(rule: Mapping[str, Any], metric: str) -> bool:
    return metric in (rule.get("metric"), rule.get("rule")) and rule.get("mustBe") == 0 and not rule.get("arguments")


def _limit(name: str) -> Any:
    def get(given: Property, sole_key: bool) -> float | None:
        value = (given.get("logicalTypeOptions") or {}).get(name)
        fits = type_of(given) == "number" and isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if fits and value is not None else None

    def put(given: Property, value: float | None) -> None:
        whole = value is not None and value.is_integer() and abs(value) < 1e15
        _set_option(given, name, int(value) if whole and value is not None else value)

    return get, put


def _set_option(given: Property, name: str, value: Any) -> None:
    options = {key: kept for key, kept in (given.get("logicalTypeOptions") or {}).items() if key != name}
    if value is not None:
        options[name] = value
        kind = type_of(given)
        if kind is not None:  # the schema allows no option of a property that does not say its logical type
            given.setdefault("logicalType", _TYPES[kind])
    if options:
        given["logicalTypeOptions"] = options
    else:
        given.pop("logicalTypeOptions", None)


@lru_cache(maxsize=1024)
def is_known_pattern(pattern: str) -> bool:
    """Whether RE2 knows this regular expression."""
    return not faults([pattern])


def _get_pattern(given: Property, sole_key: bool) -> str:
    pattern = (given.get("logicalTypeOptions") or {}).get("pattern")
    fits = type_of(given) == "text" and isinstance(pattern, str) and is_known_pattern(pattern)
    return pattern if fits and isinstance(pattern, str) else ""


def _put_pattern(given: Property, value: str) -> None:
    _set_option(given, "pattern", value or None)


def _names_values(rule: Mapping[str, Any]) -> bool:
    values = (rule.get("arguments") or {}).get("validValues")
    texts = isinstance(values, list) and all(isinstance(value, str) for value in values)
    none = rule.get("mustBe") == 0
    return bool(texts) and "invalidValues" in (rule.get("metric"), rule.get("rule")) and none


def _get_categories(given: Property, sole_key: bool) -> list[str]:
    if type_of(given) != "text":
        return []
    found = (rule["arguments"]["validValues"] for rule in given.get("quality") or () if _names_values(rule))
    return list(dict.fromkeys(next(found, [])))


def _put_categories(given: Property, values: list[str]) -> None:
    rules: list[dict[str, Any]] = list(given.get("quality") or [])
    place = next((number for number, rule in enumerate(rules) if _names_values(rule)), None)
    if place is not None and values:
        rules[place] = {**rules[place], "arguments": {**rules[place]["arguments"], "validValues": list(values)}}
    elif place is not None:
        del rules[place]
    elif values:
        arguments = {"validValues": list(values)}
        rules.append({"type": "library", "metric": "invalidValues", "arguments": arguments, "mustBe": 0})
    if rules:
        given["quality"] = rules
    else:
        given.pop("quality", None)


def _get_sensitivity(given: Property, sole_key: bool) -> Sensitivity:
    return _CLASSES.get(str(given.get("classification", "")).lower(), "internal")


def _put_sensitivity(given: Property, value: Sensitivity) -> None:
    given["classification"] = value


def _get_description(given: Property, sole_key: bool) -> str:
    return str(given.get("description") or "")


def _put_description(given: Property, value: str) -> None:
    if value:
        given["description"] = value
    else:
        given.pop("description", None)


def _own(name: str, known: tuple[Any, ...] | None, default: Any) -> Any:
    """What only a custom property can say; one of the same name with another meaning is let be."""

    def get(given: Property, sole_key: bool) -> Any:
        value = custom(given, name)
        fits = value in known if known and isinstance(value, str) else known is None and isinstance(value, str)
        return value if fits else default

    def put(given: Property, value: Any) -> None:
        set_custom(given, name, None if value == default else value)

    return get, put


def _get_purposes(given: Property, sole_key: bool) -> tuple[Purpose, ...]:
    value = custom(given, "purposes")
    known = get_args(Purpose)
    fits = isinstance(value, list) and all(each in known for each in value) and len(set(value)) == len(value)
    return tuple(value) if fits and isinstance(value, list) else _DEFAULT.purposes


def _put_purposes(given: Property, value: tuple[Purpose, ...]) -> None:
    set_custom(given, "purposes", None if value == _DEFAULT.purposes else list(value))


_LENSES: dict[str, tuple[Callable[[Property, bool], Any], Callable[[Property, Any], None]]] = {
    "description": (_get_description, _put_description),
    "required": _flag("required", "nullValues", lambda given, sole_key: given.get("primaryKey") is True),
    "unique": _flag("unique", "duplicateValues", lambda given, sole_key: sole_key),
    "min": _limit("minimum"),
    "max": _limit("maximum"),
    "categories": (_get_categories, _put_categories),
    "pattern": (_get_pattern, _put_pattern),
    "sensitivity": (_get_sensitivity, _put_sensitivity),
    "unit": _own("unit", None, ""),
    "mask": _own("mask", get_args(Mask), "none"),
    "purposes": (_get_purposes, _put_purposes),
    "owner": _own("owner", None, ""),
    "severity": _own("severity", get_args(Severity), None),
}
"""Of each field of a column but type, name and retention, how it is read from a property and written into one."""
