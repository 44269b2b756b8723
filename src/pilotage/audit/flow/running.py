"""One audit: measure the snapshots, judge the figures, answer, plan what to do, keep the evidence."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from pilotage.audit.flow.measuring_all import measure
from pilotage.audit.flow.promises import contracts, masks_of
from pilotage.audit.measured import Measured
from pilotage.audit.records import AuditReport, Finding
from pilotage.audit.rules.answers import answers
from pilotage.audit.rules.findings import findings
from pilotage.audit.rules.maturity import maturity, point
from pilotage.audit.rules.plan import build_plan
from pilotage.audit.rules.profiles import availability, profiles
from pilotage.audit.rules.sharing import shareable
from pilotage.audit.rules.standing import substance_of
from pilotage.data import flow as data
from pilotage.govern.flow.secret_files import secret_of
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import Definition


def run(work: Workspace, definition: Definition) -> AuditReport:
    """Audit a use case on its current snapshots and keep the evidence.

    Raises:
        EvidenceMissing: a source was never synced.
    """
    found = data.current_snapshots(work, definition)
    measured = measure(work, definition, found)
    promised = contracts(work, definition)
    masks, secret = masks_of(promised.values()), secret_of(work, "masking")
    judged = shareable(definition, measured, findings(definition, measured), masks, secret)
    versions = {name: snapshot.version for name, snapshot in found.items()}
    report = _report(work, definition, measured, judged, versions, promised)
    kept = keep_evidence(work, definition, "audit", msgspec.to_builtins(report))
    if report.maturity is not None:  # kept by itself, too: a history of hundred audits is read without their findings
        keep_evidence(work, definition, "maturity", msgspec.to_builtins(point(kept.id, report, report.maturity)))
    return report


def _report(
    work: Workspace,
    definition: Definition,
    measured: Measured,
    judged: tuple[Finding, ...],
    versions: dict[str, str],
    contracted: Collection[str],
) -> AuditReport:
    given = answers(definition, measured, judged)
    return AuditReport(
        use_case=definition.name,
        made_at=work.clock.now(),
        snapshots=versions,
        answers=given,
        profiles=profiles(definition, measured),
        findings=judged,
        decisions=measured.decisions.decisions,
        labelled=measured.decisions.labelled,
        positives=measured.decisions.positives,
        balance=measured.decisions.balance,
        title=definition.use_case.title,
        definition=definition.substance,
        plan=build_plan(definition, measured, judged, given, contracted),
        maturity=maturity(definition, measured, judged, given, contracted),
        availability=availability(definition, measured),
        substance=substance_of(definition),
        quick_auc=measured.reference.auc,
        are=measured.shape.face.are,
        face=measured.shape.face.says,
    )
