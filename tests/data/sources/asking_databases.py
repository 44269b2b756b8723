"""Asking databases for rows, as a use case does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from pilotage.data import sources
from pilotage.data.records import Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnavailable
from pilotage.usecase.records import SEEN_AT, Source

OWNER = "data@example.com"
ALL = Span()


def ask(address: str, table: str, known_at: str = SEEN_AT, **declared: Any) -> Asked:
    """A source; static unless a clock is given."""
    key = declared.pop("key", [])
    static = known_at == SEEN_AT
    source = Source(
        database=address, table=table, key=key, event_time=known_at, known_at=known_at, static=static, **declared
    )
    return Asked("orders", source, OWNER)


def types(asked: Asked) -> dict[str, str]:
    """The columns with their types in the engine."""
    return {column.name: column.engine_type for column in sources.introspect(asked)}


def rows(asked: Asked, span: Span = ALL, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The rows of a span, with all columns or some."""
    table = read(asked, span, names)
    return table.to_pylist() if table is not None else []


def read(asked: Asked, span: Span = ALL, names: Sequence[str] = ()) -> pa.Table | None:
    """The rows of a span as one table."""
    columns = wanted(asked, names)
    batches = list(sources.read(asked, columns, span))
    return pa.Table.from_batches(batches) if batches else None


def extent(asked: Asked, span: Span = ALL) -> Extent | None:
    """How much a span has."""
    return sources.extent(asked, wanted(asked), span)


def wanted(asked: Asked, names: Sequence[str] = ()) -> tuple[FoundColumn, ...]:
    """Columns as they are found."""
    return tuple(column for column in sources.introspect(asked) if not names or column.name in names)


def failure(asked: Asked, span: Span = ALL) -> str:
    """What is said when it cannot be read; it names the source and its owner."""
    with pytest.raises(SourceUnavailable) as caught:
        rows(asked, span)
    said = f"{caught.value.message} {caught.value.repair}"
    assert "Source orders" in said
    assert OWNER in said
    return said
