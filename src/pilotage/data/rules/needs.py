"""Which columns of each source a use case needs, and whether the source has them as the use case uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilotage.data.records import FoundColumn
from pilotage.usecase.records import SEEN_AT, Definition, Latest, Plan, UseCase, Window, seconds
from pilotage.usecase.rules.expansion import source_columns
from pilotage.usecase.rules.expressions import columns_of


def needed_columns(definition: Definition) -> dict[str, tuple[str, ...]]:
    """Per source the columns that the file names, in a fixed order: key, clocks, then the others by name."""
    use_case = definition.use_case
    needed: dict[str, set[str]] = {name: set() for name in use_case.sources}
    needed[use_case.decision.source] |= _of_spine(use_case)
    needed[use_case.outcome.source] |= {use_case.decision.entity} | columns_of(use_case.outcome.expression)
    if use_case.human is not None:
        needed[use_case.human.source] |= {use_case.decision.entity} | columns_of(use_case.human.decided)
    for column in definition.plan.columns:
        if isinstance(column, (Latest, Window)):
            needed[column.source] |= {*column.found_by, *([column.take] if column.take else [])}
            needed[column.source] |= columns_of(column.where) if column.where else frozenset()
    ordered = {}
    for name, columns in needed.items():
        source = use_case.sources[name]
        first = list(dict.fromkeys([*source.key, source.event_time, source.known_at]))
        ordered[name] = (*first, *sorted(columns - set(first)))
    return ordered


def asked_for(definition: Definition, name: str) -> tuple[str, ...]:
    """The columns that a source must have: those that are needed, and those of its expression ``deleted``."""
    gone = definition.use_case.sources[name].deleted
    return (*needed_columns(definition)[name], *sorted(columns_of(gone) if gone else ()))


def _of_spine(use_case: UseCase) -> set[str]:
    decision = use_case.decision
    where = columns_of(decision.where) if decision.where else frozenset()
    names = source_columns(use_case)
    moment = {names.get(name, name) for name in columns_of(decision.moment)} if decision.moment else set()
    judged = columns_of(decision.judged) if decision.judged else frozenset()
    return {decision.entity} | set(names.values()) | moment | where | judged | set(groups(use_case))


def groups(use_case: UseCase) -> tuple[str, ...]:
    """Columns of the decision's source by which candidates are compared: those with a limit, then the other groups."""
    limited = use_case.fairness.by if use_case.fairness else []
    return tuple(dict.fromkeys([*limited, *use_case.groups]))


def numbers_taken_from(definition: Definition, source: str) -> dict[str, str]:
    """Columns of a source that an input takes as a number, with the input's name."""
    taken: dict[str, str] = {}
    for column in definition.plan.columns:
        if not isinstance(column, (Latest, Window)) or column.source != source or not column.take:
            continue
        counts = isinstance(column, Window) and column.aggregate in {"count", "distinct"}
        if column.kind == "number" and not counts:
            taken.setdefault(column.take, column.name)
    return taken


def taken_from(plan: Plan, source: str) -> frozenset[str]:
    """Columns of a source that inputs take."""
    return frozenset(c.take for c in plan.columns if isinstance(c, (Latest, Window)) and c.source == source)


def missing(needed: Sequence[str], found: Sequence[FoundColumn]) -> tuple[str, ...]:
    """Needed columns that the source does not have; when a row was first seen is not its to say."""
    names = {SEEN_AT, *(column.name for column in found)}
    return tuple(name for name in needed if name not in names)


def changed_types(before: Sequence[FoundColumn], now: Sequence[FoundColumn]) -> Mapping[str, tuple[str, str]]:
    """Columns whose type is another than at the last sync: name → (before, now). One without values has none yet."""
    types = {column.name: column.type for column in before if not column.empty}
    return {
        column.name: (types[column.name], column.type)
        for column in now
        if column.name in types and types[column.name] != column.type and not column.empty
    }


def settled(before: Sequence[FoundColumn], now: Sequence[FoundColumn]) -> tuple[FoundColumn, ...]:
    """The columns with types that also the rows hold which were read earlier.

    Fractions stay fractions when the newest are whole; a column without values keeps the type it had; one that is of
    another kind than before, which no input needs, is kept as a text from now on.
    """
    known = {column.name: column for column in before}
    return tuple(_settled(known[column.name], column) if column.name in known else column for column in now)


def _settled(before: FoundColumn, now: FoundColumn) -> FoundColumn:
    if before.empty or before.engine_type == now.engine_type:
        return now
    if now.empty or (before.engine_type, now.engine_type) == ("DOUBLE", "BIGINT"):
        return before
    return now if before.type == now.type else FoundColumn(now.name, "text", "VARCHAR")


def matures_seconds(use_case: UseCase) -> int:
    """How long after the decision its outcome may still be unknown."""
    return seconds(use_case.outcome.matures)
