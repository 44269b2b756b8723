"""Columns that stand or fall together: what one source gives, or what the app sends, with all that is derived of it."""

from __future__ import annotations

from collections.abc import Iterable

from pilotage.usecase.records import Column, Derived, Given, Plan
from pilotage.usecase.rules.expressions import columns_of


def groups(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The name of a source or of a request column → the columns that a model would be without if it were gone.

    A column that is derived of several is in the group of each. Only groups that leave a model something are named.
    """
    roots: dict[str, frozenset[str]] = {}
    for column in plan.columns:
        roots[column.name] = _roots(column, roots)
    names = dict.fromkeys(root for column in plan.columns for root in sorted(roots[column.name]))
    found = {name: tuple(column for column in plan.names if name in roots[column]) for name in names}
    return {name: columns for name, columns in found.items() if len(columns) < len(plan.names)}


def _roots(column: Column, known: dict[str, frozenset[str]]) -> frozenset[str]:
    if isinstance(column, Given):
        return frozenset({column.name})
    if isinstance(column, Derived):
        return _of(columns_of(column.expression), known)
    return frozenset({column.source})


def _of(names: Iterable[str], known: dict[str, frozenset[str]]) -> frozenset[str]:
    """A request column that no input names stands for itself."""
    return frozenset(root for name in names for root in known.get(name, frozenset({name})))
