"""Figures of declared groups: how many, and how often positive."""

from __future__ import annotations

from msgspec import Struct


class Group(Struct, frozen=True):
    """One group. ``share`` is that of all decisions; ``rate`` the positives among known outcomes with its interval.

    ``rate``, ``low`` and ``high`` are None where no outcome is known. ``values`` is how many values were put together
    under this one, 1 if it stands for itself.
    """

    value: str
    decisions: int
    share: float
    labelled: int
    positives: int
    rate: float | None
    low: float | None
    high: float | None
    values: int = 1


class GroupColumn(Struct, frozen=True):
    """One declared column: its groups, and the decisions that belong to none because the value is missing."""

    column: str
    decisions: int
    missing: int
    groups: tuple[Group, ...]


class GroupFigures(Struct, frozen=True):
    """Per declared group column, its groups."""

    columns: tuple[GroupColumn, ...] = ()
