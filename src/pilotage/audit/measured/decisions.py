"""Figures of the decisions, their outcomes, and the keys by which they find rows."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.audit.records import MonthBalance


class KeyMatch(Struct, frozen=True):
    """Of the decisions, the share whose key has any row in the source."""

    source: str
    by: tuple[str, ...]
    share: float


class DecisionFigures(Struct, frozen=True):
    """Figures of the decisions and their outcomes."""

    decisions: int
    labelled: int
    positives: int
    balance: tuple[MonthBalance, ...]
    small_groups: dict[str, int]
    input_completeness: dict[str, float]
    matches: tuple[KeyMatch, ...]
    first: datetime | None
    last: datetime | None
