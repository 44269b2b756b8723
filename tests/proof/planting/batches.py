"""Which faults are planted into one month together: never two where one would hide or make the other."""

from __future__ import annotations

from dataclasses import dataclass

from pilotage.audit.records import Finding
from tests.proof.planting import in_decisions as decisions
from tests.proof.planting import in_sources as sources
from tests.proof.planting.faults import Fault, month_of
from tests.proof.planting.office import audited, serious

BATCHES: tuple[tuple[Fault, ...], ...] = (
    (
        decisions.CONTRADICTING,
        sources.MISSING,
        sources.STALE,
        sources.EXACT,
        sources.EMAIL,
        sources.STAND_IN_NUMBER,
    ),
    (
        decisions.NOISE,
        sources.MISSING_SINCE,
        sources.GAP,
        sources.SAME_KEY,
        sources.SPELLED,
        sources.PHONE,
        sources.NO_MATCH,
        sources.MIXED,
    ),
    (
        decisions.DRIFT,
        sources.LATE,
        sources.UNIT_DISTANCE,
        sources.ORPHANS,
        sources.MANY,
        sources.IBAN,
        sources.DATES,
        sources.UNIT_WIND,
    ),
    (
        decisions.KNOWN_AFTER,
        decisions.TOO_GOOD,
        decisions.COPY,
        sources.ZONE,
        sources.MEANING,
        sources.NEAR,
        sources.CARD,
        sources.STAND_IN_DATE,
        sources.UNIT_WEATHER,
    ),
    (
        decisions.IDENTIFIER,
        decisions.JOIN,
        sources.VOLUME,
        sources.DISAGREE,
        sources.STAND_IN_WORD,
        sources.ADDRESS,
    ),
    (decisions.TWINS, sources.MISSING_BY_LABEL, sources.TWO_SYSTEMS),
)


@dataclass(frozen=True)
class Planting:
    """A batch in one month: which of its kinds were named, and what else was said aloud."""

    seed: int
    named: dict[str, bool]
    beside: tuple[str, ...]


def planting(batch: tuple[Fault, ...], seed: int) -> Planting:
    """Plant a batch and audit."""
    statements = [statement for fault in batch for statement in fault.statements(seed)]
    findings = audited(month_of(seed), statements, [edit for fault in batch for edit in fault.edits])
    named = {fault.kind: any(fault.names(finding) for finding in findings) for fault in batch}
    others = [f for f in serious(findings) if not any(fault.explains(f) for fault in batch)]
    return Planting(seed, named, tuple(map(_told, others)))


def _told(finding: Finding) -> str:
    return f"{finding.code} on {finding.source}.{finding.column}"
