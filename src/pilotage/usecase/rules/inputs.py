"""Checks of the inputs: each one of its three forms, over request columns and inputs that stand above it."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.usecase.records import ColumnKind, Input, UseCase, listed
from pilotage.usecase.rules import expansion, expressions
from pilotage.usecase.rules.expressions.kinds import unknown_name
from pilotage.usecase.rules.live_places import check_place
from pilotage.usecase.rules.naming import short_span
from pilotage.usecase.rules.places import Mistake, Path

RESERVED = frozenset({"entity", "moment", "rule", "label", "human", "judged"})
"""Columns that every training set has beside the inputs."""


def check_inputs(use_case: UseCase) -> list[Mistake]:
    """All mistakes in the inputs; an input that has one is taken as a number for those below it."""
    if not use_case.inputs:
        return [Mistake(("inputs",), "There is no input.", "A model needs at least one: carrier: request")]
    request = expansion.request_columns(use_case)
    known: dict[str, ColumnKind] = {name: column.kind for name, column in request.items()}
    owners = {name.lower(): "the request" for name in request}
    mistakes: list[Mistake] = []
    for key, entry in use_case.inputs.items():
        path: Path = ("inputs", key)
        found = list(_input(path, key, entry, use_case, known))
        mistakes += found
        if found:
            known.setdefault(key, "number")
            continue
        for column in expansion.expanded(key, entry, request, known):
            name = f"{key}_{column.name}" if owners.get(column.name.lower(), key) != key else column.name
            mistakes += _collision(path, key, entry, name if entry != "request" else column.name, owners)
            known[name if entry != "request" else column.name] = column.kind
    return mistakes


def _collision(path: Path, key: str, entry: object, name: str, owners: dict[str, str]) -> Iterator[Mistake]:
    owner = owners.get(name.lower())
    if name in RESERVED:
        yield Mistake(path, f"{name} is a name that training sets use themselves.", "Give the input another name.")
    elif owner is not None and not (owner == "the request" and entry == "request"):
        yield Mistake(path, f"It makes a column {name}, which {owner} has already.", "Give the input another name.")
    owners[name.lower()] = key


def _input(path: Path, key: str, entry: object, use_case: UseCase, known: dict[str, ColumnKind]) -> Iterator[Mistake]:
    if key == use_case.decision.entity:
        yield Mistake(path, f"{key} tells one case from another; a model would learn cases by heart.", "Remove it.")
    if not isinstance(entry, Input):
        if key not in use_case.decision.request:
            yield Mistake(path, unknown_name(key, "request column", use_case.decision.request))
        return
    if key in use_case.decision.request:
        repair = f"Write {key}: request, or give the input another name."
        yield Mistake(path, f"The app sends a column {key}, too.", repair)
    forms = [form for form in ("latest", "windows", "derived") if getattr(entry, form)]
    if len(forms) != 1:
        got = f"got {' and '.join(forms)}" if forms else "got none"
        yield Mistake(path, f"An input has exactly one of latest, windows and derived ({got}).", "Keep one.")
    elif entry.derived:
        yield from _derived(path, entry, known)
    else:
        yield from _looked_up(path, entry, use_case)
        yield from check_place(path, entry, use_case)


def _looked_up(path: Path, entry: Input, use_case: UseCase) -> Iterator[Mistake]:
    request = expansion.request_columns(use_case)
    form, source = ("latest", entry.latest) if entry.latest else ("windows", entry.windows)
    if source not in use_case.sources:
        yield Mistake((*path, form), unknown_name(source, "source", use_case.sources))
    if not any(listed(entry.by)):
        yield Mistake(path, "by is missing.", "Name the request column whose rows are looked up: by: carrier")
    for place, by in _placed((*path, "by"), entry.by):
        if by and by != use_case.decision.entity and by not in use_case.decision.request:
            message = unknown_name(by, "request column", use_case.decision.request)
            yield Mistake(place, message, "What rows are looked up by must be declared in decision.request.")
        elif by in request and request[by].kind == "text":
            yield Mistake(place, f"{by} is free text, which is no key.", "Declare it as category, or name another.")
    for name, value in (("by", entry.by), ("take", entry.take)):
        if len(set(listed(value))) < len(listed(value)):
            yield Mistake((*path, name), "A name stands here twice.", "Keep one.")
    if entry.where:
        yield from _syntax((*path, "where"), entry.where)
    if form == "latest" and entry.over:
        yield Mistake((*path, "over"), "over belongs to windows.", "Say how old a value may be with within.")
    if form == "windows":
        if source in use_case.sources and use_case.sources[source].is_static:
            message = f"{source} is static: its rows have no time, so that none lie in a span before the decision."
            yield Mistake((*path, "windows"), message, "Look it up with latest, or give the source its clocks.")
        yield from _window(path, entry)


def _window(path: Path, entry: Input) -> Iterator[Mistake]:
    if not entry.over:
        yield Mistake(path, "over is missing.", "Say how far back to look: over: [1 day, 7 days]")
    spans = [short_span(over) for over in listed(entry.over) if over]
    if len(set(spans)) < len(spans):
        yield Mistake((*path, "over"), "Two of these spans are the same.", "Keep one.")
    takes = any(listed(entry.take))
    if entry.aggregate in ("share", "since"):
        if takes:
            message = f"take does not go with aggregate: {entry.aggregate}, which looks at whole rows."
            yield Mistake((*path, "take"), message, "Remove it; where says which rows.")
    elif not takes and entry.aggregate != "count":
        yield Mistake(path, "take is missing.", "Name the column to aggregate, or use aggregate: count.")
    if entry.aggregate == "share" and not entry.where:
        yield Mistake(path, "where is missing.", "Say of which rows the share is wanted: where: delay_minutes > 30")
    if entry.kind not in (None, "number"):
        yield Mistake((*path, "kind"), f"A window gives a number, not a {entry.kind}.", "Remove kind.")


def _syntax(path: Path, text: str) -> Iterator[Mistake]:
    """Only that the text is an expression: which columns it may use is known once the source was read."""
    try:
        expressions.parse(text)
    except expressions.ExpressionError as error:
        yield Mistake(path, str(error), "Write a condition over the source's columns: delay_minutes > 30")


def _derived(path: Path, entry: Input, known: dict[str, ColumnKind]) -> Iterator[Mistake]:
    for name in ("by", "take", "over", "where", "live_age", "live_at"):
        if getattr(entry, name):
            yield Mistake((*path, name), f"{name} does not go with derived.", "Remove it.")
    if entry.live != "snapshot":
        yield Mistake((*path, "live"), "A derived input is computed where the answer is given.", "Remove live.")
    messages = expressions.check(entry.derived, known)
    for message in messages:
        repair = "It may use request columns and inputs that stand above." if "There is no column" in message else ""
        yield Mistake((*path, "derived"), message, repair)
    if messages or entry.kind is None:
        return
    found = expressions.kind_of(entry.derived, known)
    if found is not None and expansion.as_kind(entry.derived, found, entry.kind) is None:
        yield Mistake((*path, "kind"), f"The expression gives a {found}, not a {entry.kind}.", f"Write kind: {found}.")


def _placed(path: Path, value: str | list[str] | dict[str, str]) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        yield from (((*path, name), name) for name in value)
    else:
        for number, item in enumerate(value):
            yield (*path, number), item
