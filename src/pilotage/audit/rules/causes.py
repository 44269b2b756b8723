"""Findings of one cause: the same kind of fault at one source, or at one column that several sources carry.

Nobody repairs eight columns of one table by eight tickets, nor one key at its four copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilotage.audit.records import Finding


def by_cause(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """The findings in groups of one severity and cause, each in the order given; so are the groups, by their first."""
    groups: list[list[Finding]] = []
    open_groups: dict[tuple[str, str, str], list[list[Finding]]] = {}
    for finding in findings:
        alike = open_groups.setdefault((finding.code, finding.severity, finding.owner), [])
        group = next((group for group in alike if is_of(finding, group)), None)
        if group is None:
            alike.append([])
            groups.append(alike[-1])
        (group if group is not None else alike[-1]).append(finding)
    return [tuple(group) for group in groups]


def is_of(finding: Finding, group: Sequence[Finding]) -> bool:
    """Whether it stands at the source of the group's first, or at its column in another source."""
    first = group[0]
    if not finding.column or not first.column:
        return False
    if _kinds(finding) != _kinds(first):
        return False
    return finding.source == first.source or finding.column == first.column


def _kinds(finding: Finding) -> tuple[str, ...]:
    """What a personal column holds: a telephone number is not 'the same' as a gender."""
    kinds = finding.figures.get("kinds", ()) if finding.topic == "sensitive" else ()
    return tuple(str(kind["kind"]) for kind in kinds)
