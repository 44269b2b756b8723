"""Figures of one source: how complete, how current, how often there, how consistent."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.measuring.sources.columns import measure_columns
from pilotage.audit.measuring.sources.place import SAMPLE, place_of
from pilotage.audit.measuring.sources.repeats import measure_repeats
from pilotage.audit.measuring.sources.samples import measure_samples
from pilotage.audit.measuring.sources.times import measure_times
from pilotage.data.records import Snapshot
from pilotage.usecase.records import Source

if TYPE_CHECKING:
    import duckdb


def measure_source(connection: duckdb.DuckDBPyConnection, source: Source, found: Snapshot) -> SourceFigures:
    """Figures of the relation that carries the source's name and holds all its row versions."""
    place = place_of(connection, source, found)
    known_to = found.known_to.astimezone(UTC) if found.known_to else None
    profiles = measure_columns(place, known_to)
    distinct = {name: figures.distinct for name, figures in profiles.items()}
    times = measure_times(place, distinct)
    figures = SourceFigures(
        source=found.source,
        columns=found.columns,
        rows=place.rows,
        known_to=known_to,
        profiles=profiles,
        repeats=measure_repeats(place, distinct),
        times=times,
        sampled=place.sampled,
        samples=measure_samples(place, profiles, times.ordered),
    )
    connection.execute(f"DROP TABLE IF EXISTS {SAMPLE}; DROP TABLE IF EXISTS _texts")
    return figures
