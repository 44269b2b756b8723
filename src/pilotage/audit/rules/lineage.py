"""Which inputs come from what: from a source's column, from the request, or from other inputs."""

from __future__ import annotations

from collections.abc import Collection

from pilotage.data.guessing.words import is_bare
from pilotage.usecase.records import Definition, Derived, Given, Latest, Plan, Window
from pilotage.usecase.rules.expressions import columns_of


def with_derived(plan: Plan, names: set[str]) -> set[str]:
    """These inputs or request columns, and every input that is derived from them."""
    found = set(names)
    for column in plan.columns:  # a derived input stands below what it uses
        if isinstance(column, Derived) and columns_of(column.expression) & found:
            found.add(column.name)
    return found


def read_by_rule(definition: Definition) -> set[str]:
    """Inputs and request columns that the rule reads, also below what it reads."""
    found = set(columns_of(definition.use_case.rule.expression))
    for column in reversed(definition.plan.columns):  # a derived input stands below what it uses
        if isinstance(column, Derived) and column.name in found:
            found |= columns_of(column.expression)
    return found


def inputs_from(definition: Definition, source: str, columns: set[str] | None = None) -> set[str]:
    """Inputs that come from a source; only from these columns of it where they are named.

    A request column comes from the decision's source. What rows are looked up by counts as taken, too.
    """
    plan = definition.plan
    own = source == definition.use_case.decision.source
    taken: set[str] = set()
    for column in plan.columns:
        if isinstance(column, (Latest, Window)) and column.source == source:
            asked = columns_of(column.where) if column.where else frozenset()
            if columns is None or column.take in columns or columns & {*column.found_by, *asked}:
                taken.add(column.name)
        elif isinstance(column, Given) and own and (columns is None or column.name in columns):
            taken.add(column.name)
    if own:
        request = set(plan.request) if columns is None else columns & set(plan.request)
        taken |= with_derived(plan, request)
        taken |= {c.name for c in plan.columns if isinstance(c, (Latest, Window)) and set(c.by) & (columns or set())}
    return with_derived(plan, taken) & set(plan.names)


def source_of(definition: Definition, name: str) -> str:
    """The source that an input is taken from; the decision's for what the app sends or what is derived."""
    for column in definition.plan.columns:
        if column.name == name and isinstance(column, (Latest, Window)):
            return column.source
    return definition.use_case.decision.source


def entity_column(definition: Definition, source: str, columns: Collection[str]) -> str:
    """The source's column that names the decision's own case, empty where none does.

    It is the one by which the file looks the source up for the entity. Otherwise a column of the entity's name: but an
    ``id`` of another table is the id of something else, unless the table holds the decisions or their outcomes.
    """
    use_case, entity = definition.use_case, definition.plan.entity
    own = source in (use_case.decision.source, use_case.outcome.source) and entity in columns
    if own:
        return entity
    mapped = [
        theirs
        for column in definition.plan.columns
        if isinstance(column, (Latest, Window)) and column.source == source
        for ours, theirs in zip(column.by, column.found_by, strict=True)
        if ours == entity and theirs in columns
    ]
    if mapped:
        return min(mapped, key=is_bare)
    return entity if entity in columns and not is_bare(entity) else ""


def inputs_by_entity(definition: Definition, source: str) -> dict[str, str]:
    """Inputs that take a column of this source for the decision's own entity: input → column taken."""
    return {
        column.name: column.take
        for column in definition.plan.columns
        if isinstance(column, (Latest, Window)) and column.source == source and definition.plan.entity in column.by
    }
