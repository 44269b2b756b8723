"""Figures of one source's rows."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.audit.measured.columns import ColumnFigures
from pilotage.audit.measured.repeats import Repeats, Sample
from pilotage.audit.measured.times import TimeFigures
from pilotage.data.records import FoundColumn


class SourceFigures(Struct, frozen=True):
    """Figures of one source's rows. ``profiles`` go by column.

    ``sampled`` is how many rows were looked at for how values are distributed, where that was not all, else 0;
    ``samples`` are rows to look at, by kind of fault and column: ``negative quantity``.
    """

    source: str
    columns: tuple[FoundColumn, ...]
    rows: int
    known_to: datetime | None
    profiles: dict[str, ColumnFigures]
    repeats: Repeats
    times: TimeFigures
    sampled: int = 0
    samples: dict[str, tuple[Sample, ...]] = {}

    @property
    def keys(self) -> int:
        return self.repeats.keys

    @property
    def completeness(self) -> dict[str, float]:
        """Column → share of rows that have a value."""
        return {name: c.filled / self.rows if self.rows else 0.0 for name, c in self.profiles.items()}

    @property
    def lateness_seconds(self) -> float:
        """The 95th percentile of ``known_at`` minus ``event_time``."""
        return self.times.lateness.quantiles[-1] if self.times.lateness else 0.0
