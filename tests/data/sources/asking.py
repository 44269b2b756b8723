"""Asking sources in tests: a source of files, and what it gives."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pilotage.data import sources
from pilotage.data.records import Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnavailable
from pilotage.usecase.records import Source


def asked_for(files: str | Path = "", **declared: Any) -> Asked:
    """A source of this pattern, owned by data@example.com; static unless a clock is declared."""
    declared.setdefault("key", ["id"])
    place = {"files": str(files)} if files else {}
    return Asked("orders", Source(**place, **declared), "data@example.com")  # type: ignore[arg-type]


def naive(*parts: int) -> datetime:
    """An instant in UTC as sources give it: without its zone."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type]


def types_of(asked: Asked) -> dict[str, str]:
    """The engine type of each column."""
    return {column.name: column.engine_type for column in sources.introspect(asked)}


def rows_of(asked: Asked, span: Span | None = None) -> list[dict[str, Any]]:
    """All rows of a span, as they come out of Arrow."""
    columns = sources.introspect(asked)
    return [row for batch in sources.read(asked, columns, span or Span()) for row in batch.to_pylist()]


def column_of(asked: Asked, name: str) -> list[Any]:
    """One column's values, in the order of the rows."""
    return [row[name] for row in rows_of(asked)]


def failure_of(asked: Asked) -> str:
    """What a person reads when this source cannot be read."""
    with pytest.raises(SourceUnavailable) as raised:
        rows_of(asked)
    said = str(raised.value)
    assert "orders" in said
    assert "data@example.com" in said
    return said


def table_of(asked: Asked) -> pa.Table:
    """All rows as an Arrow table."""
    columns = sources.introspect(asked)
    return pa.Table.from_batches(list(sources.read(asked, columns, Span())))
