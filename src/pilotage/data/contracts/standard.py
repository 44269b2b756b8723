"""The Open Data Contract Standard 3.1: its documents as contracts, and contracts as its documents.

A document may promise several objects; each becomes a contract of its own. What a contract of ours cannot say is kept
under ``standard``: of the document, of the object, of each property, only what would not come out again by itself.

Bitol, Open Data Contract Standard v3.1.0, https://bitol-io.github.io/open-data-contract-standard
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec
from msgspec import Struct

from pilotage.data.contracts import standard_terms as terms
from pilotage.data.contracts.records import ColumnContract, Contract, Severity
from pilotage.data.contracts.standard_columns import (
    column_of,
    custom,
    is_known_pattern,
    name_of,
    property_of,
    set_custom,
)

API_VERSION = "v3.1.0"
_NAME = re.compile(r"[^a-z0-9_]+")
_UNCHECKED = ("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "format")

Document = dict[str, Any]


class Imported(Struct, frozen=True):
    """A contract made of one object of a document, and what of it is kept and not checked."""

    contract: Contract
    remarks: tuple[str, ...]


def source_name(given: str) -> str:
    """The name of an object as that of a source can be: ``Order Items`` is ``order_items``."""
    name = _NAME.sub("_", given.strip().lower()).strip("_")[:63]
    return name if name[:1].isalpha() else f"t_{name}"[:63]


def object_names(document: Document) -> list[tuple[str, str]]:
    """Of each object its name as a source, and the table that it says it is."""
    objects = document.get("schema") or ()
    return [(source_name(str(each["name"])), str(each.get("physicalName", ""))) for each in objects]


def imported(document: Document, names: Mapping[int, str], owner: str) -> list[Imported]:
    """A contract for each object, by its place, that has a name here.

    ``owner`` answers where the document names nobody. Objects without a name here are kept in the first contract.
    """
    objects = document.get("schema") or []
    found = [_imported(document, objects[place], place, name, owner) for place, name in names.items()]
    others = [{"position": n, "object": each} for n, each in enumerate(objects) if n not in names]
    if not others or not found:
        return found
    first = found[0].contract
    holding = msgspec.structs.replace(first, standard={**first.standard, "others": others})
    return [msgspec.structs.replace(found[0], contract=holding), *found[1:]]


def exported(contracts: Sequence[Contract], keys: Mapping[str, Collection[str]] | None = None) -> Document:
    """One document of contracts that came from one, or of one contract that came from none.

    Of what they say of the whole document, that counts which was edited since the import. ``keys`` are the key columns
    of sources, written as primary keys where no import said anything of them.
    """
    ordered = sorted(contracts, key=_position)
    document = _whole(ordered[0])
    objects = {each["position"]: each["object"] for c in ordered for each in c.standard.get("others", ())}
    for contract in ordered:
        made = _object(contract, (keys or {}).get(contract.contract, ()))
        objects[_position(contract)] = made
        _put_terms(document, contract, str(made["name"]))
    if objects:
        document["schema"] = [objects[place] for place in sorted(objects)]
    return document


def document_id(contract: Contract) -> str:
    """What identifies the document that a contract came from; empty where it came from none."""
    return str(contract.standard.get("document", {}).get("id", ""))


def _position(contract: Contract) -> int:
    return int(contract.standard.get("position", 0))


def _imported(document: Document, given: Document, place: int, name: str, owner: str) -> Imported:
    known: dict[str, ColumnContract] = {}
    kept: list[Document] = []
    sole_key = _sole_key(given.get("properties") or ())
    for each in given.get("properties") or ():
        column, called = column_of(each, sole_key == name_of(each)), name_of(each)
        if column is None or called in known:
            kept.append({"kept": each})
            continue
        agreed = terms.retention_of(document, str(given["name"]), called)
        known[called] = msgspec.structs.replace(column, retention=agreed)
        kept.append({"column": called, "rest": _rest(each, called, column, sole_key == called)})
    said_owner = terms.owner_of(document)
    severity = custom(given, "severity")
    contract = Contract(
        contract=name,
        version=str(document["version"]),
        owner=said_owner or owner,
        description=str(given.get("description") or ""),
        severity=severity if severity in get_args(Severity) else "warns",
        freshness=terms.freshness_of(document, str(given["name"])),
        columns=known,
    )
    standard: dict[str, Any] = {
        "position": place,
        "document": {key: value for key, value in document.items() if key != "schema"},
        "object": {key: value for key, value in given.items() if key != "properties"},
        "has_properties": "properties" in given,
        "properties": kept,
        **({} if said_owner else {"owner_assumed": owner}),
    }
    return Imported(msgspec.structs.replace(contract, standard=standard), tuple(_remarks(given)))


def _rest(given: Document, name: str, column: ColumnContract, sole_key: bool) -> Document:
    """What of a property must be kept, so that it comes out as it came in."""

    def again(rest: Document) -> Document:
        return property_of(rest, name, column, sole_key)

    rest = copy.deepcopy(given)
    for key in given:
        if key != "primaryKey":
            rest = _without(rest, (key,), given, again)
    for key in given.get("logicalTypeOptions") or ():
        rest = _without(rest, ("logicalTypeOptions", key), given, again)
    return rest


def _without(rest: Document, path: tuple[str, ...], given: Document, again: Callable[[Document], Document]) -> Document:
    """The rest without this part, if it is written again all the same."""
    trial = copy.deepcopy(rest)
    holder: Any = trial
    for step in path[:-1]:
        holder = holder.get(step, {})
    if path[-1] not in holder:
        return rest
    del holder[path[-1]]
    return trial if _same(again(trial), given) else rest


def _same(one: Any, other: Any) -> bool:
    """Whether two documents are the same data: 1 is not 1.0, nor true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _sole_key(properties: Sequence[Document]) -> str | None:
    keys = [name_of(each) for each in properties if each.get("primaryKey") is True]
    return keys[0] if len(keys) == 1 else None


def _remarks(given: Document) -> Iterator[str]:
    """What of the properties is kept and not checked, because a contract of ours has no rule for it."""
    for each in given.get("properties") or ():
        name, options = name_of(each), each.get("logicalTypeOptions") or {}
        if each.get("properties") or each.get("items"):
            yield f"{name} holds other values: it is kept, and not checked."
        unchecked = [key for key in _UNCHECKED if key in options]
        if unchecked:
            yield f"{name}: {', '.join(unchecked)} {'is' if len(unchecked) == 1 else 'are'} kept, and not checked."
        pattern = options.get("pattern")
        if isinstance(pattern, str) and not is_known_pattern(pattern):
            yield f"{name}: its pattern is not one that RE2 knows; it is kept, and not checked."
        elif isinstance(pattern, str) and not (pattern.startswith("^") and pattern.endswith("$")):
            yield f"{name}: its pattern is taken to match the whole text."
        for rule in each.get("quality") or ():
            if rule.get("type") in ("sql", "custom", "text"):
                yield f"{name}: quality rule {rule.get('name') or rule['type']} is kept, and not checked."


def _whole(contract: Contract) -> Document:
    if contract.standard.get("document"):
        return copy.deepcopy(contract.standard["document"])
    made = uuid.uuid5(uuid.NAMESPACE_URL, f"pilotage/contracts/{contract.contract}")
    head = {"apiVersion": API_VERSION, "kind": "DataContract", "id": str(made), "name": contract.contract}
    return {**head, "version": contract.version, "status": "active"}


def _object(contract: Contract, key: Collection[str]) -> Document:
    kept = contract.standard
    made: Document = copy.deepcopy(kept.get("object") or _new_object(contract))
    if str(made.get("description") or "") != contract.description:
        made |= {"description": contract.description}
    said = custom(made, "severity")
    if (said if said in get_args(Severity) else "warns") != contract.severity:
        set_custom(made, "severity", None if contract.severity == "warns" else contract.severity)
    places = list(kept.get("properties") or ())
    known = {each["column"] for each in places if "column" in each}
    ordered = list(key)
    for name in contract.columns:
        if name not in known:
            rest = {"primaryKey": True, "primaryKeyPosition": ordered.index(name) + 1} if name in ordered else {}
            places.append({"column": name, "rest": {} if kept.get("object") else rest})
    sole_key = _sole_key([each.get("kept") or {"name": each["column"], **each["rest"]} for each in places])
    properties = [
        each["kept"]
        if "kept" in each
        else property_of(each["rest"], each["column"], contract.columns[each["column"]], sole_key == each["column"])
        for each in places
        if "kept" in each or each["column"] in contract.columns
    ]
    if properties or kept.get("has_properties", True):
        made["properties"] = properties
    return made


def _new_object(contract: Contract) -> Document:
    return {"name": contract.contract, "logicalType": "object", "physicalType": "table"}


def _put_terms(document: Document, contract: Contract, name: str) -> None:
    """What the contract says of the whole document, where that is not what its import said: an edit in one counts."""
    before: Document = contract.standard.get("document", {})
    if before.get("version") != contract.version:
        document["version"] = contract.version
    if contract.owner not in (terms.owner_of(before), contract.standard.get("owner_assumed")):
        terms.set_owner(document, contract.owner)
    if not terms.is_same_length(terms.freshness_of(before, name), contract.freshness):
        terms.set_freshness(document, name, contract.freshness)
    for column, promised in contract.columns.items():
        if not terms.is_same_length(terms.retention_of(before, name, column), promised.retention):
            terms.set_retention(document, name, column, promised.retention)
