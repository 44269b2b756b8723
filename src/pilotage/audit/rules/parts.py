"""What of a large audit stands on its first page, and on which page the rest is."""

from __future__ import annotations

from msgspec import Struct

from pilotage.audit.records import AuditReport, Finding, SourceProfile
from pilotage.audit.rules.wording import SEVERITIES, anchors

FINDINGS_EACH, ROWS_EACH = 30, 80
"""How many findings, or rows of a table, stand on one page of a part."""
_FEW, _OF_EACH = 20, 5
"""So few findings all stand on the first page; of more, so many of each severity."""


class Here(Struct, frozen=True):
    """The first page of an audit at ``address``: how much of each list stands on it."""

    address: str
    findings: int
    """Of each severity."""
    changes: int = 6
    steps: int = 10
    available: int = 10


def here(report: AuditReport, address: str) -> Here:
    """The first page of this audit, at this address."""
    return Here(address, _FEW if len(report.findings) <= _FEW else _OF_EACH)


class Part(Struct, frozen=True):
    """The rows from ``first`` to before ``last``, counted from 0, of a list of ``total``."""

    first: int
    last: int
    total: int
    before: int | None
    """Where the page before begins."""
    after: int | None
    """Where the next page begins."""


def part(first: int, total: int, each: int = ROWS_EACH) -> Part:
    """The page that holds row ``first``, or else the last page; ``each`` rows are on one."""
    begins = min(max(first, 0), max(total - 1, 0)) // each * each
    ends = min(begins + each, total)
    return Part(begins, ends, total, begins - each if begins else None, ends if ends < total else None)


def by_severity(report: AuditReport) -> list[Finding]:
    """All findings, those first that forbid a use."""
    return [finding for severity in SEVERITIES for finding in report.findings if finding.severity == severity]


def on_one_page(report: AuditReport) -> dict[str, str]:
    """Identifier of a finding → link to it, where all of them stand on this page."""
    return {name: f"#{anchor}" for name, anchor in anchors(report.findings).items()}


def on_pages(report: AuditReport, here: Here, is_first: bool = False) -> dict[str, str]:
    """Identifier of a finding → link to the page of findings that holds it, or to its place on the first page."""
    places, seen = on_one_page(report), dict[str, int]()
    for number, finding in enumerate(by_severity(report)):
        seen[finding.severity] = seen.get(finding.severity, 0) + 1
        if not is_first or seen[finding.severity] > here.findings:
            page = f"{here.address}/findings?first={number // FINDINGS_EACH * FINDINGS_EACH}"
            places[finding.id] = page + places[finding.id]
    return places


def profile_of(report: AuditReport, source: str) -> SourceProfile | None:
    """What was measured of a source; where there is none of this name, of the first one."""
    found = [profile for profile in report.profiles if profile.columns]
    return next((profile for profile in found if profile.source == source), found[0] if found else None)
