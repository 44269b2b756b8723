"""Figures of rows that are there more than once."""

from __future__ import annotations

from msgspec import Struct

Sample = dict[str, str]


class SameEvents(Struct, frozen=True):
    """Rows equal to an earlier one in all ``columns`` but under another key.

    ``near`` counts those equal only after case, blanks and punctuation are taken away. ``without`` is how many there
    would be if ``tested``, the most telling column, were left out: far more, where rows agree by chance.
    """

    columns: tuple[str, ...]
    rows: int
    near: int
    tested: str
    without: int
    looked_at: int
    samples: tuple[Sample, ...] = ()
    near_samples: tuple[Sample, ...] = ()


class Repeats(Struct, frozen=True):
    """Rows per key. ``exact`` counts rows beyond the first of equal ones; ``clashing`` those that have key and
    ``known_at`` of another row and other values; ``near`` those of ``clashing`` that differ in spelling only."""

    keys: int
    exact: int = 0
    clashing: int = 0
    near: int = 0
    samples: dict[str, tuple[Sample, ...]] = {}
    same_events: SameEvents | None = None
