"""Figures of one source's rows."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.data.records import FoundColumn


class SourceFigures(Struct, frozen=True):
    """Figures of one source's rows. Lateness is ``known_at`` minus ``event_time``, its 95th percentile, in seconds."""

    source: str
    columns: tuple[FoundColumn, ...]
    rows: int
    keys: int
    exact_duplicates: int
    known_to: datetime | None
    completeness: dict[str, float]
    lateness_seconds: float
    days_without_rows: int
    longest_gap_days: int
    spellings: dict[str, tuple[str, ...]]
