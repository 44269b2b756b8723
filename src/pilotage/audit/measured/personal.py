"""Figures on personal data: which columns hold it, by their names and by their values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

By = Literal["name", "values", "both"]


class Detection(Struct, frozen=True):
    """One kind of personal data in a column. ``kind`` is a key of ``rules/sensitive.py:KINDS``.

    ``share`` is the share of the distinct values looked at that are of this kind or, where ``within`` is true, that
    contain it inside a longer text; 0 where only the name told. ``examples`` are masked.
    """

    kind: str
    by: By
    share: float = 0.0
    within: bool = False
    examples: tuple[str, ...] = ()


class PersonalColumn(Struct, frozen=True):
    """A column that may hold personal data: what, and how that was seen.

    ``holds`` is in words, such as 'e-mail addresses'. ``by`` and ``share`` are those of the first of ``kinds``, which
    are ordered by how much harm they can do. ``looked_at`` is the number of distinct values that were looked at.
    """

    source: str
    column: str
    holds: str
    by: By
    share: float = 0.0
    kinds: tuple[Detection, ...] = ()
    looked_at: int = 0


class PersonalFigures(Struct, frozen=True):
    """All columns that may hold personal data."""

    columns: tuple[PersonalColumn, ...] = ()
