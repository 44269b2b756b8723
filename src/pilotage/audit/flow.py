"""The audit: measure the snapshots, judge the figures, answer the seven questions, keep the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.measuring.decisions import measure_decisions
from pilotage.audit.measuring.groups import measure_groups
from pilotage.audit.measuring.leakage import measure_leakage
from pilotage.audit.measuring.personal import measure_personal
from pilotage.audit.measuring.sources import measure_source
from pilotage.audit.measuring.systems import measure_systems
from pilotage.audit.records import AuditReport, SourceProfile
from pilotage.audit.rules.answers import answers, with_proof
from pilotage.audit.rules.findings import findings
from pilotage.data import flow as data
from pilotage.data.records import Snapshot
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import keep_evidence, latest_evidence
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def run(work: Workspace, definition: Definition) -> AuditReport:
    """Audit a use case on its current snapshots and keep the evidence.

    Raises:
        EvidenceMissing: a source was never synced.
    """
    found = data.current_snapshots(work, definition)
    measured = _measure(work, definition, found)
    report = AuditReport(
        use_case=definition.name,
        made_at=work.clock.now(),
        snapshots={name: snapshot.version for name, snapshot in found.items()},
        answers=answers(definition, measured),
        profiles=_profiles(definition, measured),
        findings=findings(definition, measured),
        decisions=measured.decisions.decisions,
        labelled=measured.decisions.labelled,
        positives=measured.decisions.positives,
        balance=measured.decisions.balance,
    )
    keep_evidence(work, definition, "audit", msgspec.to_builtins(report))
    return report


def latest(work: Workspace, use_case: str) -> AuditReport | None:
    """The newest audit of a use case; a training set that was proved since answers its question."""
    evidence = latest_evidence(work, use_case, "audit")
    if evidence is None:
        return None
    report = msgspec.convert(evidence.body, AuditReport)
    built = latest_evidence(work, use_case, "training_set")
    if built is None or built.definition != evidence.definition or "recreated" not in built.body:
        return report
    proved = with_proof(report.answers, built.body["training_set"], built.body["recreated"])
    return msgspec.structs.replace(report, answers=proved)


def _measure(work: Workspace, definition: Definition, found: dict[str, Snapshot]) -> Measured:
    evidence = latest_evidence(work, definition.name, "training_set")
    built = evidence.body if evidence else {}
    with data.assembled(work, definition, found) as engine:
        return Measured(
            sources=_measure_sources(engine, definition, found),
            systems=measure_systems(engine, definition, found),
            decisions=measure_decisions(engine, definition),
            leakage=measure_leakage(engine, definition, found),
            personal=measure_personal(engine, definition, found),
            groups=measure_groups(engine, definition),
            newest=max((s.known_to for s in found.values() if s.known_to), default=None),
            training_set=str(built.get("training_set", "")),
            recreated=built.get("recreated"),
        )


def _measure_sources(
    connection: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> dict[str, SourceFigures]:
    sources = definition.use_case.sources
    return {name: measure_source(connection, sources[name], snapshot) for name, snapshot in found.items()}


def _profiles(definition: Definition, measured: Measured) -> tuple[SourceProfile, ...]:
    shares: dict[str, float] = {}
    for match in measured.decisions.matches:
        shares[match.source] = min(match.share, shares.get(match.source, 1.0))
    if measured.decisions.decisions:
        shares[definition.use_case.outcome.source] = measured.decisions.labelled / measured.decisions.decisions
    return tuple(
        SourceProfile(
            source=name,
            rows=figures.rows,
            duplicates_by_key=figures.rows - figures.keys,
            known_to=figures.known_to,
            completeness=figures.completeness,
            match_share=shares.get(name),
        )
        for name, figures in measured.sources.items()
    )
