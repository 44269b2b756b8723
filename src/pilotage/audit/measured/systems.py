"""Figures of two sources beside each other."""

from __future__ import annotations

from msgspec import Struct


class SharedColumn(Struct, frozen=True):
    """One column that two sources have, compared where both have a value under the same key.

    ``differ`` counts other values, ``format_only`` of those texts that agree but for case, blanks, punctuation or
    accents. ``samples`` show the key and both values.
    """

    column: str
    rows: int
    differ: int
    format_only: int
    samples: tuple[dict[str, str], ...] = ()


class ClockOffset(Struct, frozen=True):
    """Two datetimes of the same key: how many rows, how many lie ``hours`` apart exactly, how many are equal."""

    columns: tuple[str, str]
    rows: int
    hours: int
    apart: int
    equal: int


class SameKey(Struct, frozen=True):
    """Two sources that tell rows apart by the same columns. ``looked_at`` keys are in both."""

    first: str
    second: str
    looked_at: int
    columns: tuple[SharedColumn, ...] = ()
    clocks: tuple[ClockOffset, ...] = ()
    sampled: bool = False


class SameContent(Struct, frozen=True):
    """Two sources with other keys and shared ``columns``: how many rows of the smaller have an equal row in the other.

    ``unique`` is the smaller share, of both, of rows that these columns alone tell apart.
    """

    first: str
    second: str
    columns: tuple[str, ...]
    rows: int
    equal: int
    unique: float
    samples: tuple[dict[str, str], ...] = ()
    sampled: bool = False


class SystemsFigures(Struct, frozen=True):
    """What two systems say of the same thing."""

    same_key: tuple[SameKey, ...] = ()
    same_content: tuple[SameContent, ...] = ()
