"""Columns that one key of one source answers: they are asked for together."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pilotage.usecase.records import ColumnKind, Latest, Plan, Window


class Group(Struct, frozen=True):
    """Columns that share a source and the request columns ``by`` which its rows are found.

    ``key`` are the source's columns that equal them, ``kinds`` what both are.
    """

    source: str
    by: tuple[str, ...]
    key: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]
    columns: tuple[Latest | Window, ...]

    @property
    def span_seconds(self) -> int:
        """How far back any column of the group looks."""
        return max(span_of(column) for column in self.columns)

    @property
    def name(self) -> str:
        """Such as ``arrivals_by_carrier_origin``."""
        return f"{self.source}_by_{'_'.join(self.by)}"


def span_of(column: Latest | Window) -> int:
    """How far back a column looks, in seconds."""
    return column.within_seconds if isinstance(column, Latest) else column.over_seconds


def groups(plan: Plan, names: Iterable[str] | None = None) -> tuple[Group, ...]:
    """The groups of a plan's lookups and windows, in its order; of those named only, where ``names`` are given."""
    wanted = None if names is None else frozenset(names)
    found: dict[tuple[object, ...], list[Latest | Window]] = {}
    for column in plan.columns:
        if isinstance(column, (Latest, Window)) and (wanted is None or column.name in wanted):
            found.setdefault((column.source, column.by, column.found_by), []).append(column)
    return tuple(_group(plan, columns) for columns in found.values())


def _group(plan: Plan, columns: list[Latest | Window]) -> Group:
    first = columns[0]
    kinds = tuple(plan.request[by].kind if by in plan.request else "category" for by in first.by)
    return Group(first.source, first.by, first.found_by, kinds, tuple(columns))
