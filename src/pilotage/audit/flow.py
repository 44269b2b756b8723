"""The audit: measure the snapshots, judge the figures, answer the seven questions, keep the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilotage.audit.measured import Measured, SourceFigures
from pilotage.audit.measuring import of_leakage
from pilotage.audit.measuring.of_decisions import measure_decisions, measure_matches
from pilotage.audit.measuring.of_sources import measure_source
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
    with data.assembled(work, definition, found) as connection:
        of_leakage.draw_sample(connection)
        with_entity = of_leakage.sources_with_entity(definition, found)
        separations = of_leakage.measure_inputs(connection, definition.plan)
        for name in with_entity:
            separations += of_leakage.measure_separations(connection, definition, found[name])
        return Measured(
            sources=_measure_sources(connection, definition, found),
            decisions=measure_decisions(connection, definition.plan),
            matches=measure_matches(connection, definition),
            late=tuple(of_leakage.measure_late(connection, definition, found[name]) for name in with_entity),
            separations=tuple(separations),
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
    for match in measured.matches:
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
