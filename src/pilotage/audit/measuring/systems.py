"""What two systems say of the same thing, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.systems import SystemsFigures
from pilotage.data.records import Snapshot
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def measure_systems(
    engine: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> SystemsFigures:
    """Figures of every pair of sources that share a key."""
    return SystemsFigures()
