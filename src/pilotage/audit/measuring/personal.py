"""Columns that may hold personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.personal import PersonalColumn, PersonalFigures
from pilotage.audit.rules.sensitive import sensitive_columns
from pilotage.data.records import Snapshot
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def measure_personal(
    engine: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> PersonalFigures:
    """Every column of every source, by its name."""
    columns = [
        PersonalColumn(name, column, holds, "name")
        for name, snapshot in found.items()
        for column, holds in sensitive_columns(c.name for c in snapshot.columns).items()
    ]
    return PersonalFigures(tuple(columns))
