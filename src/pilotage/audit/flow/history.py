"""Audits that were kept: the newest, one by its identifier or date, the maturity over time."""

from __future__ import annotations

from datetime import date

import msgspec

from pilotage.audit.records import AuditReport, Comparison, Point
from pilotage.audit.rules.answers import with_proof
from pilotage.audit.rules.comparing import compared
from pilotage.audit.rules.maturity import with_proof as maturity_with_proof
from pilotage.platform.errors import EvidenceMissing, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import evidence_history, latest_evidence
from pilotage.usecase.records import Evidence

_POINTS_MAX = 200
_EARLIER_MAX = 50


def latest(work: Workspace, use_case: str) -> AuditReport | None:
    """The newest audit of a use case; a training set that was proved since answers its question."""
    evidence = latest_evidence(work, use_case, "audit")
    return None if evidence is None else _with_proof(work, evidence)


def newest(work: Workspace, use_case: str) -> AuditReport:
    """The newest audit of a use case.

    Raises:
        EvidenceMissing: it was never audited.
    """
    report = latest(work, use_case)
    if report is None:
        raise EvidenceMissing(f"{use_case} was never audited.", f"Run `pilotage audit {use_case}`.")
    return report


def _with_proof(work: Workspace, evidence: Evidence) -> AuditReport:
    report = msgspec.convert(evidence.body, AuditReport)
    built = latest_evidence(work, evidence.use_case, "training_set")
    if built is None or built.definition != evidence.definition or "recreated" not in built.body:
        return report
    proved = built.body["recreated"]
    mature = report.maturity
    return msgspec.structs.replace(
        report,
        answers=with_proof(report.answers, built.body["training_set"], proved),
        maturity=mature and maturity_with_proof(mature, report.findings, proved),
    )


def history(work: Workspace, use_case: str) -> tuple[Point, ...]:
    """The maturity at the newest audits that were kept, the oldest first."""
    pieces = evidence_history(work, use_case, "maturity", _POINTS_MAX)
    return tuple(msgspec.convert(piece.body, Point) for piece in reversed(pieces))


def compared_with(work: Workspace, newest: AuditReport, which: str = "") -> Comparison | None:
    """The newest audit against the one before it, or against that of an identifier or a day; None for the first one.

    Raises:
        NotFound: there is no earlier audit of this identifier or day.
    """
    earlier = evidence_history(work, newest.use_case, "audit", _EARLIER_MAX if which else 2)[1:]
    meant = [piece for piece in earlier if not which or _is_meant(piece, which)]
    if meant:
        return compared(msgspec.convert(meant[0].body, AuditReport), newest)
    if not which:
        return None
    known = ", ".join(f"{piece.id} ({piece.made_at:%Y-%m-%d})" for piece in earlier[:5])
    repair = f"Give an identifier or a day: {known}." if known else "It is the first audit that was kept."
    raise NotFound(f"There is no earlier audit {which} of {newest.use_case}.", repair)


def _is_meant(piece: Evidence, which: str) -> bool:
    """By identifier, or made by the end of a day; of several of these the newest comes first."""
    if piece.id == which:
        return True
    try:
        day = date.fromisoformat(which)
    except ValueError:
        return False
    return piece.made_at.date() <= day
