"""Expands the inputs of a file into the columns that a model sees."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import msgspec

from pilotage.usecase.records import (
    Column,
    ColumnKind,
    Derived,
    Given,
    Input,
    Latest,
    Plan,
    RequestColumn,
    UseCase,
    Window,
    key_of,
    listed,
    seconds,
)
from pilotage.usecase.rules.expressions import kind_of
from pilotage.usecase.rules.naming import latest_says, taken, window_name, window_says, words

ALWAYS_SECONDS = 200 * 366 * 86_400


def expand(use_case: UseCase) -> Plan:
    """The plan of a use case that the consistency checks have passed."""
    request = request_columns(use_case)
    plan = Plan(
        entity=use_case.decision.entity,
        moment=use_case.decision.moment,
        request=request,
        columns=tuple(columns(use_case)),
        fingerprint="",
    )
    return msgspec.structs.replace(plan, fingerprint=_fingerprint(plan))


def _fingerprint(plan: Plan) -> str:
    """The SHA-256 of the plan. A ``where`` that is not there is left out: plans that have none keep theirs."""
    content = msgspec.to_builtins(plan, order="deterministic")
    for column in content["columns"]:
        if not column.get("where", True):
            del column["where"]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def request_columns(use_case: UseCase) -> dict[str, RequestColumn]:
    """What the app sends, the short form written out."""
    return {
        name: column if isinstance(column, RequestColumn) else RequestColumn(kind=column)
        for name, column in use_case.decision.request.items()
    }


def source_columns(use_case: UseCase) -> dict[str, str]:
    """Request columns → their names in the decision's source."""
    return {name: column.column or name for name, column in request_columns(use_case).items()}


def columns(use_case: UseCase) -> list[Column]:
    """All columns in the file's order. A name that is taken already gets its input's key in front."""
    return [column for _, column in columns_of_inputs(use_case)]


def columns_of_inputs(use_case: UseCase) -> list[tuple[str, Column]]:
    """All columns in the file's order, each with the input that makes it."""
    request = request_columns(use_case)
    known: dict[str, ColumnKind] = {name: column.kind for name, column in request.items()}
    found: list[tuple[str, Column]] = []
    static = {name for name, source in use_case.sources.items() if source.is_static}
    for key, entry in use_case.inputs.items():
        taken_names = {column.name for _, column in found}
        for column in expanded(key, entry, request, known, static):
            renamed = msgspec.structs.replace(column, name=f"{key}_{column.name}")
            found.append((key, renamed if column.name in taken_names else column))
        known.update((column.name, column.kind) for _, column in found)
    return found


def expanded(
    key: str,
    entry: Literal["request"] | Input,
    request: Mapping[str, RequestColumn],
    known: Mapping[str, ColumnKind],
    static: Collection[str] = (),
) -> Iterator[Column]:
    """The columns of one input. ``known`` are the kinds of request columns and earlier inputs.

    What is looked up in a ``static`` source may be of any age.
    """
    if not isinstance(entry, Input):
        given = request[key]
        unit = f", in {given.unit}" if given.unit and given.unit not in words(key) else ""
        yield Given(key, given.kind, given.required, f"{words(key)}{unit}")
    elif entry.latest:
        yield from _latest(key, entry, static=entry.latest in static)
    elif entry.windows:
        yield from _windows(entry)
    else:
        yield _derived(key, entry, known)


def _latest(key: str, entry: Input, static: bool) -> Iterator[Column]:
    by = tuple(listed(entry.by))
    within_seconds = ALWAYS_SECONDS if static else seconds(entry.within)
    for name, take in taken(key, entry).items():
        says = latest_says(key, entry, take)
        yield Latest(
            name, entry.kind or "number", entry.latest, by, take, within_seconds, says, key_of(entry.by), entry.where
        )


def _windows(entry: Input) -> Iterator[Column]:
    for by in listed(entry.by):
        key = key_of({by: entry.by[by]}) if isinstance(entry.by, dict) else ()
        for take in listed(entry.take) or [""]:
            for over in listed(entry.over):
                name = window_name(entry.aggregate, take, by, over)
                says = window_says(entry, take, by, over)
                span = seconds(over)
                yield Window(name, "number", entry.windows, (by,), take, entry.aggregate, span, says, key, entry.where)


def _derived(key: str, entry: Input, known: Mapping[str, ColumnKind]) -> Column:
    found = kind_of(entry.derived, known) or "number"
    kind = entry.kind or found
    return Derived(key, kind, as_kind(entry.derived, found, kind) or entry.derived, entry.says or words(key))


def as_kind(expression: str, found: ColumnKind, wanted: ColumnKind) -> str | None:
    """The expression brought to another kind; None where there is no way that we would choose for the author."""
    if found == wanted:
        return expression
    if (found, wanted) == ("category", "text"):
        return expression
    if (found, wanted) == ("number", "category"):
        return f"CAST({expression} AS VARCHAR)"
    if found == "flag" and wanted in ("number", "category"):
        yes, no = ("1", "0") if wanted == "number" else ("'yes'", "'no'")
        return f"CASE WHEN {expression} THEN {yes} WHEN NOT ({expression}) THEN {no} END"
    return None
