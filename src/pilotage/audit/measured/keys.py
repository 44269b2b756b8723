"""Figures of keys: whether two systems find each other by them, and whether one key means one row."""

from __future__ import annotations

from msgspec import Struct


class Spelling(Struct, frozen=True):
    """A way of writing keys alike, and the share of decisions that would find a row with it and do not without."""

    way: str
    share: float
    examples: tuple[dict[str, str], ...] = ()


class Lookup(Struct, frozen=True):
    """A lookup of the newest row: what a plain join by its key would do.

    ``factor`` is rows out per decision in. ``tied`` is the share of the source's current rows that have their key and
    instant in common with another row, ``arbitrary`` the share of decisions for whose key there are such rows and the
    values taken differ: which of them is taken then only follows from the source's key.
    """

    source: str
    by: tuple[str, ...]
    inputs: tuple[str, ...]
    factor: float
    tied: float
    arbitrary: float
    samples: tuple[dict[str, str], ...] = ()
    sampled: int = 0


class Orphans(Struct, frozen=True):
    """Rows of a source that name a case which the decision's source does not have, within the time that it covers."""

    source: str
    by: tuple[str, ...]
    rows: int
    looked_at: int
    samples: tuple[dict[str, str], ...] = ()
    sampled: int = 0

    @property
    def share(self) -> float:
        return self.rows / self.looked_at if self.looked_at else 0.0


class KeyFigures(Struct, frozen=True):
    """All lookups and all sources that name cases."""

    lookups: tuple[Lookup, ...] = ()
    orphans: tuple[Orphans, ...] = ()
