"""Two audits compared: what got better, worse, new and gone, by the identifiers of the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pilotage.audit.records import AuditReport, Change, Comparison, Finding, Severity
from pilotage.audit.rules.costs import at_stake, in_percent

SHARE_TOLERANCE = 0.005
"""A share of rows that moved by less than half a percentage point did not move."""
RELATIVE_TOLERANCE = 0.1
"""Neither did a figure that moved by less than a tenth of itself."""
_RANK: dict[Severity, int] = {"informs": 0, "warns": 1, "blocks": 2}
_WORD: dict[Severity, str] = {"blocks": "blocks", "warns": "warns", "informs": "only informs"}


def compared(before: AuditReport, after: AuditReport) -> Comparison:
    """What changed from one audit to a later one; within the tolerances a finding counts as unchanged."""
    old = {finding.id: finding for finding in before.findings}
    pairs = _pairs(old, after.findings)
    changes = [(Change(now.id, then, now, moved(then, now)[1]), moved(then, now)[0]) for then, now in pairs]
    known = {then.id for then, _ in pairs}
    paired = {now.id for _, now in pairs}
    return Comparison(
        before=before.made_at,
        after=after.made_at,
        better=tuple(change for change, direction in changes if direction < 0),
        worse=tuple(change for change, direction in changes if direction > 0),
        new=tuple(Change(f.id, None, f, _figure(f, after)) for f in after.findings if f.id not in paired),
        gone=tuple(Change(f.id, f, None, _figure(f, before)) for f in before.findings if f.id not in known),
        unchanged=sum(direction == 0 for _, direction in changes),
        maturity_before=before.maturity.overall if before.maturity else None,
        maturity_after=after.maturity.overall if after.maturity else None,
    )


def _pairs(old: Mapping[str, Finding], now: Sequence[Finding]) -> list[tuple[Finding, Finding]]:
    """The same finding before and after: by its identifier, else as the only one of its kind and source on both sides.

    A finding about several columns has them in its identifier; when one more joins them it is still the same.
    """
    same = [(old[finding.id], finding) for finding in now if finding.id in old]
    taken = {finding.id for _, finding in same}
    gone, new = _by_kind(f for f in old.values() if f.id not in taken), _by_kind(f for f in now if f.id not in taken)
    several = [
        (gone[kind][0], found[0])
        for kind, found in new.items()
        if len(found) == len(gone.get(kind, ())) == 1 and any(", " in f.column for f in (found[0], gone[kind][0]))
    ]
    order = {finding.id: place for place, finding in enumerate(now)}
    return sorted([*same, *several], key=lambda pair: order[pair[1].id])


def _by_kind(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.code, finding.source), []).append(finding)
    return found


def moved(before: Finding, after: Finding) -> tuple[int, str]:
    """1 when a finding got worse, -1 when better, 0 when neither; and the figures in words.

    Its severity decides; then its cost, where both audits have it in the same unit; then its share of rows; then the
    number of rows.
    """
    if before.severity != after.severity:
        direction = 1 if _RANK[after.severity] > _RANK[before.severity] else -1
        return direction, f"{_WORD[before.severity]} → {_WORD[after.severity]}"
    if before.cost and after.cost and before.cost.kind == after.cost.kind:
        kind = before.cost.kind
        return _step(before.cost.value, after.cost.value, "cost", "rows" if kind == "rows" else "skill")
    if before.share or after.share:
        return _step(before.share, after.share, "share", "rows")
    direction = _direction(before.concerns, after.concerns, 0.0)
    return direction, f"{before.concerns:,} → {after.concerns:,} rows"


def _step(before: float, after: float, noun: str, unit: str) -> tuple[int, str]:
    direction = _direction(before, after, SHARE_TOLERANCE)
    if unit == "skill":
        return direction, f"{noun} {before:.3f} → {after:.3f} AUC"
    return direction, f"{before:.1%} → {after:.1%} of rows"


def _direction(before: float, after: float, least: float) -> int:
    change = after - before
    if abs(change) <= max(least, RELATIVE_TOLERANCE * abs(before)):
        return 0
    return 1 if change > 0 else -1


def _figure(finding: Finding, report: AuditReport) -> str:
    """What the finding had at stake in that audit, with its unit."""
    return in_percent(finding, at_stake(finding, report.quick_auc))


def in_words(comparison: Comparison) -> str:
    """Such as ``Since 3 Jun 2026: 2 gone, 1 new, 1 worse.``"""
    counts = {
        "gone": comparison.gone,
        "better": comparison.better,
        "worse": comparison.worse,
        "new": comparison.new,
    }
    parts = [f"{len(changes)} {word}" for word, changes in counts.items() if changes]
    at = comparison.before
    said = ", ".join(parts) if parts else f"nothing changed, {comparison.unchanged} as before"
    return f"Since {at.day} {at:%b %Y, %H:%M} UTC: {said}.{_maturity(comparison)}"


def _maturity(comparison: Comparison) -> str:
    if comparison.maturity_before is None or comparison.maturity_after is None:
        return ""
    change = comparison.maturity_after - comparison.maturity_before
    if abs(change) < 0.05:
        return f" Maturity {comparison.maturity_after:.0f} of 100, as before."
    return f" Maturity {comparison.maturity_before:.1f} → {comparison.maturity_after:.1f} of 100."
