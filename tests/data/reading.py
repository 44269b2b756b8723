"""Sources watched, or made to fail, while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from pilotage.data import sources
from pilotage.data.records import FoundColumn, Span
from pilotage.data.sources.asked import Asked

if TYPE_CHECKING:
    import pyarrow as pa

Meanwhile = Callable[[Asked, Span], None]


def reads(monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile | None = None) -> list[tuple[str, Span]]:
    """The list that fills with what is read of which source; ``meanwhile`` runs before a source is read."""
    real, seen = sources.read, list[tuple[str, Span]]()

    def read(asked: Asked, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
        seen.append((asked.name, span))
        if meanwhile is not None:
            meanwhile(asked, span)
        return real(asked, columns, span)

    monkeypatch.setattr(sources, "read", read)
    return seen
