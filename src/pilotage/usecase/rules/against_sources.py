"""Checks of the file against the columns that its sources really have, once they were looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilotage.platform.errors import Problem
from pilotage.usecase.records import ColumnKind, Definition, Input, UseCase, listed
from pilotage.usecase.rules import expansion, expressions
from pilotage.usecase.rules.expressed import gives
from pilotage.usecase.rules.expressions.kinds import unknown_name
from pilotage.usecase.rules.naming import taken
from pilotage.usecase.rules.places import Mistake, Path, located
from pilotage.usecase.rules.reading import read

_KINDS: dict[str, ColumnKind] = {"number": "number", "text": "category", "datetime": "datetime", "flag": "flag"}

_FITTING: dict[ColumnKind, tuple[str, ...]] = {
    "number": ("number", "flag"),
    "category": ("text", "number", "flag"),
    "text": ("text",),
    "datetime": ("datetime",),
    "flag": ("flag", "number"),  # many databases keep true and false as 1 and 0
}

_AS_DATES = (
    "Where its texts are dates, have them delivered as dates: in files written YYYY-MM-DD HH:MM:SS, with `missing` for "
    "those that stand for none; of a database through a view with CAST(… AS TIMESTAMP)."
)

Columns = Mapping[str, Mapping[str, str]]
"""Source → column → its type: number, text, datetime or flag; empty where it has no value yet."""


def check_against_sources(definition: Definition, columns: Columns) -> list[Problem]:
    """Every column that the file names and its source does not have, or has with another type.

    Sources that are not in ``columns`` are passed over: they could not be looked at yet.
    """
    return located(mistakes_against_sources(definition.use_case, columns), read(definition.text).positions)


def mistakes_against_sources(use_case: UseCase, columns: Columns) -> list[Mistake]:
    """The same of a use case that may have other mistakes, not located yet."""
    mistakes = [*_keys_and_clocks(use_case, columns), *_decision(use_case, columns), *_outcome(use_case, columns)]
    for key, entry in use_case.inputs.items():
        if isinstance(entry, Input) and not entry.derived:
            mistakes += _looked_up(("inputs", key), key, entry, use_case, columns)
    return mistakes


def _keys_and_clocks(use_case: UseCase, columns: Columns) -> Iterator[Mistake]:
    for name, source in use_case.sources.items():
        if name not in columns:
            continue
        for number, column in enumerate(source.key):
            yield from _has(("sources", name, "key", number), name, column, columns)
        for clock in () if source.is_static else ("event_time", "known_at"):
            column, path = getattr(source, clock), ("sources", name, clock)
            found = columns[name].get(column, "datetime")
            if found == "datetime":
                yield from _has(path, name, column, columns)
            else:
                repair = "Name another column, or correct the type in the source."
                repair = f"{_AS_DATES} Or name another column." if found == "text" else repair
                yield Mistake(path, f"{name}.{column} is a {found}; {clock} needs a datetime.", repair)
        if source.deleted:
            yield from _condition(("sources", name, "deleted"), source.deleted, name, columns)


def _decision(use_case: UseCase, columns: Columns) -> Iterator[Mistake]:
    decision = use_case.decision
    if decision.source not in columns:
        return
    yield from _has(("decision", "entity"), decision.source, decision.entity, columns)
    timed = _columns_of(decision.moment)
    for name, column in expansion.request_columns(use_case).items():
        path = ("decision", "request", name)
        wanted = column.column or name
        if wanted != name and name in columns[decision.source]:
            message = f"{decision.source} has a column {name} of its own."
            yield Mistake((*path, "column"), message, "Give the request column another name.")
        misfit = "" if name in timed and column.kind == "datetime" else "Declare it as {kind}."
        yield from _has(path, decision.source, wanted, columns, _FITTING[column.kind], misfit=misfit)
    if decision.where:
        yield from _condition(("decision", "where"), decision.where, decision.source, columns)
    if decision.judged:
        yield from _condition(("decision", "judged"), decision.judged, decision.source, columns)
    named: dict[Path, list[str]] = {("groups",): use_case.groups}
    named[("fairness", "by")] = use_case.fairness.by if use_case.fairness else []
    for place, groups in named.items():
        for number, group in enumerate(groups):
            yield from _has((*place, number), decision.source, group, columns)


def _columns_of(text: str) -> frozenset[str]:
    """The columns that an expression reads; none where it is none, which is said elsewhere."""
    try:
        return expressions.columns_of(text) if text else frozenset()
    except expressions.ExpressionError:
        return frozenset()


def _outcome(use_case: UseCase, columns: Columns) -> Iterator[Mistake]:
    outcome, human = use_case.outcome, use_case.human
    read: list[tuple[str, str, str, str, str]] = [
        ("outcome", outcome.source, outcome.key, outcome.expression, "outcomes")
    ]
    if human is not None:
        read.append(("human", human.source, "decided", human.decided, "human decisions"))
    entity = use_case.decision.entity
    for part, source, key, expression, noun in read:
        if source not in columns:
            continue
        if entity not in columns[source]:
            message = f"{source} has no column {entity}, by which {noun} find their decision."
            yield Mistake((part, "source"), message, "Name a source that has it, or give it that column.")
        yield from _condition((part, key), expression, source, columns, use_case.kind)


def _looked_up(path: Path, key: str, entry: Input, use_case: UseCase, columns: Columns) -> Iterator[Mistake]:
    source = entry.latest or entry.windows
    if source not in columns:
        return
    request = expansion.request_columns(use_case)
    for place, by in _placed((*path, "by"), entry.by):
        kind = request[by].kind if by in request else "category"
        misfit = f"{by} of the request is a {kind}: a key has one kind in both."
        if isinstance(entry.by, dict):
            yield from _has(place, source, entry.by[by], columns, _FITTING[kind], misfit=misfit)
        else:
            repair = f"Where {source} calls it otherwise, say so: by: {{{by}: its name there}}."
            yield from _has(place, source, by, columns, _FITTING[kind], repair, misfit)
    if entry.where:
        yield from _condition((*path, "where"), entry.where, source, columns)
    takes = list(taken(key, entry).values()) if entry.latest else listed(entry.take)
    places = [place for place, _ in _placed((*path, "take"), entry.take)]
    for number, take in enumerate(takes):
        if take:
            place = places[number] if number < len(places) else path
            yield from _has(place, source, take, columns, *_takable(entry))


def _takable(entry: Input) -> tuple[tuple[str, ...], str, str]:
    """Types that an input can take, and the repairs where the column is not there or of another type."""
    if entry.latest:
        return _FITTING[entry.kind or "number"], "", "Write kind: {kind}."
    types = () if entry.aggregate in ("count", "distinct") else _FITTING["number"]
    return types, "", "Use aggregate: count or distinct, or take another column."


def _has(
    path: Path,
    source: str,
    column: str,
    columns: Columns,
    wanted: tuple[str, ...] = (),
    repair: str = "",
    misfit: str = "",
) -> Iterator[Mistake]:
    found = columns[source]
    if column not in found:
        yield Mistake(path, f"In source {source}: {unknown_name(column, 'column', found)}", repair)
        return
    if wanted and found[column] and found[column] not in wanted:
        message = f"{source}.{column} is a {found[column]}; a {' or '.join(wanted)} is wanted."
        repairs = misfit.format(kind=_KINDS[found[column]]), _as_text(found[column], wanted)
        yield Mistake(path, message, " ".join(filter(None, repairs)))


def _as_text(found: str, wanted: tuple[str, ...]) -> str:
    """What besides helps where most values may be numbers or dates and the column is a text nevertheless."""
    if found != "text" or not {"number", "datetime"} & set(wanted):
        return ""
    if "datetime" in wanted:
        return _AS_DATES
    return "In files, `missing` and `decimal` of the source say which of its texts are numbers and which are none."


def _condition(path: Path, text: str, source: str, columns: Columns, wanted: ColumnKind = "flag") -> Iterator[Mistake]:
    """An expression over a source's columns that gives true or false, or what else is wanted."""
    known = {name: _KINDS.get(type_, "category") for name, type_ in columns[source].items()}
    messages = expressions.check(text, known)
    if any(name in columns[source] and not columns[source][name] for name in expressions.columns_of(text)):
        return  # a column without values has no type yet
    for message in messages:
        yield Mistake(path, f"In source {source}: {message}")
    if not messages:
        yield from gives(path, expressions.kind_of(text, known), wanted)


def _placed(path: Path, value: str | list[str] | dict[str, str]) -> list[tuple[Path, str]]:
    if isinstance(value, dict):
        return [((*path, name), name) for name in value]
    return [(path, value)] if isinstance(value, str) else [((*path, n), item) for n, item in enumerate(value)]
