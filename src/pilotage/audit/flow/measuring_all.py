"""All measurements of an audit, made in one assembly of sources, decisions and training set."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.measuring.availability import measure_availability
from pilotage.audit.measuring.decisions import measure_decisions
from pilotage.audit.measuring.face import put_on_face
from pilotage.audit.measuring.groups import measure_groups
from pilotage.audit.measuring.keys import measure_keys
from pilotage.audit.measuring.outcomes import measure_outcomes
from pilotage.audit.measuring.personal import measure_personal
from pilotage.audit.measuring.sources import measure_source
from pilotage.audit.measuring.systems import measure_systems
from pilotage.data import flow as data
from pilotage.data.flow.contracting import violations
from pilotage.data.records import Snapshot
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import evidence_history, latest_evidence
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def measure(work: Workspace, definition: Definition, found: dict[str, Snapshot]) -> Measured:
    """Every figure, one call per subject."""
    evidence = latest_evidence(work, definition.name, "training_set")
    built = evidence.body if evidence else {}
    with data.assembled(work, definition, found) as engine:
        shape = put_on_face(engine, definition)
        decisions = measure_decisions(engine, definition)
        if not decisions.decisions:
            known_to = found[definition.use_case.outcome.source].known_to or work.clock.now()
            decisions = replace(decisions, why_none=data.why_none(engine, definition, known_to))
        outcomes = measure_outcomes(engine, definition, found)
        return Measured(
            sources=_measure_sources(engine, definition, found),
            systems=measure_systems(engine, definition, found),
            decisions=decisions,
            shape=shape,
            leakage=outcomes.leakage,
            label=outcomes.label,
            reference=outcomes.reference,
            keys=measure_keys(engine, definition, found),
            availability=measure_availability(engine, definition, decisions.input_completeness),
            personal=measure_personal(engine, definition, found),
            groups=measure_groups(engine, definition),
            newest=max((s.known_to for s in found.values() if s.known_to), default=None),
            training_set=str(built.get("training_set", "")),
            recreated=built.get("recreated"),
            broken=violations(work, definition.name),
            syncing=data.states(work, definition.name),
            written_late=_written_late(work, definition.name),
        )


def _written_late(work: Workspace, use_case: str) -> dict[str, int]:
    """Rows per source that came later than their clock says, over the newest hundred syncs that brought anything."""
    rows: Counter[str] = Counter()
    for piece in evidence_history(work, use_case, "sync"):
        for source in piece.body["sources"]:
            rows[source["source"]] += source.get("late", 0)
    return dict(rows)


def _measure_sources(
    connection: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> dict[str, SourceFigures]:
    sources = definition.use_case.sources
    return {name: measure_source(connection, sources[name], snapshot) for name, snapshot in found.items()}
