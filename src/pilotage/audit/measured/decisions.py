"""Figures of the decisions, their outcomes, and the keys by which they find rows."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.audit.measured.keys import Spelling
from pilotage.audit.records import MonthBalance


class KeyMatch(Struct, frozen=True):
    """Of the decisions, the share whose key has any row in the source; ``empty`` of them have no key at all.

    ``spellings`` would let more of them match, each counted beyond the ones before it.
    """

    source: str
    by: tuple[str, ...]
    share: float
    empty: float = 0.0
    spellings: tuple[Spelling, ...] = ()
    samples: tuple[dict[str, str], ...] = ()


class DecisionFigures(Struct, frozen=True):
    """Figures of the decisions and their outcomes."""

    decisions: int
    labelled: int
    positives: int
    balance: tuple[MonthBalance, ...]
    small_groups: dict[str, int]
    """Per category sent by the app, its values with few known outcomes."""
    input_completeness: dict[str, float]
    matches: tuple[KeyMatch, ...]
    first: datetime | None
    last: datetime | None
    why_none: tuple[str, str] = ("", "")
    """Where there is no decision: the reason, and the remedy."""
    small_group_rows: dict[str, int] = {}
    """The decisions that have such a value."""
