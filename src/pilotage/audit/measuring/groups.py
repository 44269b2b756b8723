"""Representation and outcome by declared group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.groups import GroupFigures
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def measure_groups(engine: duckdb.DuckDBPyConnection, definition: Definition) -> GroupFigures:
    """Figures of each column that the file names under ``groups``."""
    return GroupFigures()
