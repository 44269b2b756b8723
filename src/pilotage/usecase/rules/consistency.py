"""What must agree across the file: names that point at names, expressions, and what belongs together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from pilotage.usecase.records import SEEN_AT, ColumnKind, Source, UseCase
from pilotage.usecase.rules import expansion
from pilotage.usecase.rules.against_sources import check_against_sources
from pilotage.usecase.rules.batches import check_batch
from pilotage.usecase.rules.candidates import check_candidates
from pilotage.usecase.rules.expressed import expression, known_source, syntax
from pilotage.usecase.rules.inputs import check_inputs
from pilotage.usecase.rules.outcomes import check_outcome, check_rule, settled_kind
from pilotage.usecase.rules.places import Mistake, Path, Positions
from pilotage.usecase.rules.policies import check_policy
from pilotage.usecase.rules.reviewing import check_conditions, check_reviewing

__all__ = ["check", "check_against_sources"]

_PASSWORD = re.compile(r"://[^/@\s]*:[^@?\s]+@")  # keys of object stores have slashes in them
_USER = re.compile(r"://[^/@\s]*@")
_NAME = r'(?:[^\W\d][\w$]*|"(?:[^"\x00]|"")+")'
_TABLE = re.compile(rf"{_NAME}(?:\.{_NAME})?")
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "user-agent", "content-type"})
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)


def check(use_case: UseCase, already: Iterable[Mistake], written: Positions) -> list[Mistake]:
    """Everything in the file that does not agree. What lies on the path of an earlier mistake is not said twice.

    ``written`` has the places of what stands in the file, which a record does not tell from what is assumed.
    """
    paths = [mistake.path for mistake in already]
    found: list[Mistake] = []
    for name, source in use_case.sources.items():
        found += _source(("sources", name), source)
    found += _decision(use_case)
    found += check_outcome(use_case)
    found += check_inputs(use_case)
    if not any(path[:1] == ("inputs",) for path in [*paths, *(mistake.path for mistake in found)]):
        found += check_rule(use_case)  # with a broken input, its columns would be called unknown
        found += check_conditions(use_case)
    found += check_reviewing(use_case)
    if (kind := settled_kind(use_case)) is not None:
        found += check_policy(use_case, kind, written)
        if not any(path[:1] == ("inputs",) for path in [*paths, *(mistake.path for mistake in found)]):
            found += check_candidates(use_case, kind)
    found += check_batch(use_case)
    found += _guessed(use_case)
    return [mistake for mistake in found if not any(_overlap(mistake.path, path) for path in paths)]


def _overlap(one: Path, other: Path) -> bool:
    length = min(len(one), len(other))
    return length > 0 and one[:length] == other[:length] and (len(other) > 1 or len(one) == 1)


def _source(path: Path, source: Source) -> Iterator[Mistake]:
    yield from _place(path, source)
    if source.table and not _TABLE.fullmatch(source.table):
        repair = "Write table or schema.table; what is no plain word in double quotes: '\"my table\"'."
        yield Mistake((*path, "table"), f"'{source.table}' is not a table's name.", repair)
    yield from _secrets(path, source)
    if not source.key:
        yield Mistake((*path, "key"), "The key is empty.", "List the columns that tell rows apart.")
    yield from _clocks(path, source)
    if source.deleted:
        yield from syntax((*path, "deleted"), source.deleted)


def _place(path: Path, source: Source) -> Iterator[Mistake]:
    given = [kind for kind in ("database", "files", "delta", "rest") if getattr(source, kind)]
    if len(given) != 1:
        message = f"It has {' and '.join(given)}." if given else "It does not say where the rows are."
        yield Mistake(path, message, "Give one of: database and table, files, delta, rest.")
        return
    if source.database and not source.table:
        yield Mistake(path, "table is missing.", "Name the table of the database.")
    fitting = {"table": "database", "sheet": "files", "encoding": "files", "delimiter": "files"}
    for name, kind in fitting.items():
        if getattr(source, name) and given != [kind]:
            yield Mistake((*path, name), f"{name} belongs to {kind}; this source has {given[0]}.", f"Remove {name}.")
    for name in ("decimal", "missing"):
        if getattr(source, name) and given[0] not in ("files", "rest"):
            message = f"{name} belongs to files and rest, which hold texts; this source has {given[0]}."
            yield Mistake((*path, name), message, f"Remove {name}; have a view cast the column.")
    for number, text in enumerate(source.missing):
        if _NUMBER.fullmatch(text):
            message = f"'{text}' is a number: taken as missing, it would vanish from every column of numbers."
            yield Mistake((*path, "missing", number), message, "Leave it out; the audit finds such placeholders.")
    if source.rest and source.rest.paging == "cursor" and not source.rest.cursor:
        yield Mistake((*path, "rest"), "cursor is missing.", "Say where the next cursor lies: cursor: meta.next")


def _secrets(path: Path, source: Source) -> Iterator[Mistake]:
    if _PASSWORD.search(source.database):
        repair = "Put it into an environment variable and write env:ITS_NAME."
        yield Mistake((*path, "database"), "The address holds a password, which must not stand in the file.", repair)
    addresses = {(*path, "files"): source.files, (*path, "delta"): source.delta}
    if source.rest:
        addresses[(*path, "rest", "url")] = source.rest.url
        for name, value in source.rest.headers.items():
            if not value.startswith("env:") and name.lower() not in _PLAIN_HEADERS:
                repair = "Put it into an environment variable and write env:ITS_NAME."
                yield Mistake((*path, "rest", "headers", name), "A header may hold a secret.", repair)
    for place, address in addresses.items():
        if _PASSWORD.search(address) or _USER.search(address):
            repair = "Put the address into an environment variable and write env:ITS_NAME/…"
            yield Mistake(place, "The address says who reads it, which must not stand in the file.", repair)


def _clocks(path: Path, source: Source) -> Iterator[Mistake]:
    clocks = [name for name in ("event_time", "known_at") if getattr(source, name) not in ("", SEEN_AT)]
    if source.static and clocks:
        repair = "Remove static, or the clocks."
        yield Mistake((*path, "static"), f"A static source has no {' and no '.join(clocks)}.", repair)
    if source.static:
        return
    for name in ("event_time", "known_at"):
        if name not in clocks:
            repair = f"Add {name}: a column. A list whose rows always held has no clocks: static: true."
            yield Mistake(path, f"{name} is missing.", repair)


def _decision(use_case: UseCase) -> Iterator[Mistake]:
    decision = use_case.decision
    if not decision.entity:
        yield Mistake(("decision", "entity"), "It is empty.", "Name the column that tells one case from another.")
    yield from known_source(use_case, ("decision", "source"), decision.source)
    if not decision.request:
        yield Mistake(("decision", "request"), "The app sends nothing.", "List at least one column.")
    for name in decision.request:
        if name == decision.entity:
            repair = "Remove the line: it may be named in `by` all the same."
            yield Mistake(("decision", "request", name), f"The app sends {name} as the entity already.", repair)
        if not _IDENTIFIER.fullmatch(name):
            repair = "Letters, digits and underscores, beginning with a letter."
            yield Mistake(("decision", "request", name), f"'{name}' cannot be a column's name.", repair)
    request = expansion.request_columns(use_case)
    path = ("decision", "moment")
    times: dict[str, ColumnKind] = {name: column.kind for name, column in request.items() if column.kind == "datetime"}
    if decision.moment:
        yield from expression(path, decision.moment, times, "datetime", "datetime columns of the request")
    if decision.where:
        yield from syntax(("decision", "where"), decision.where)
    if decision.judged:
        yield from syntax(("decision", "judged"), decision.judged)


def _guessed(use_case: UseCase) -> Iterator[Mistake]:
    """A guess must point at a place of the file, else nobody can confirm it."""
    for place in use_case.guessed:
        here: Any = msgspec.to_builtins(use_case)
        for step in place.split("."):
            here = here.get(step) if isinstance(here, dict) else None
        if here is None:
            message = f"{place} is not a place in this file."
            yield Mistake(("guessed", place), message, "Write a path such as sources.orders.key, or remove the line.")
