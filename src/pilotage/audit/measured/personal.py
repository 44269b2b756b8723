"""Figures on personal data: which columns hold it, by their names and by their values."""

from __future__ import annotations

from msgspec import Struct


class PersonalColumn(Struct, frozen=True):
    """A column that may hold personal data: what, and how that was seen.

    ``holds`` is in words, such as 'an e-mail address'. ``by`` says whether the name or the values told; ``share`` is
    the share of the non-empty values looked at that are of this kind, 0 where only the name told.
    """

    source: str
    column: str
    holds: str
    by: str
    share: float = 0.0


class PersonalFigures(Struct, frozen=True):
    """All columns that may hold personal data."""

    columns: tuple[PersonalColumn, ...] = ()
