"""What the audit asks of columns that the rule reads: whether the rule is judged by what it could not know."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.audit.records import Finding
from pilotage.audit.rules.lineage import read_by_rule
from pilotage.usecase.records import Definition


def cautions(definition: Definition, findings: Sequence[Finding]) -> tuple[str, ...]:
    """One sentence per finding on leakage that does not block: a rule that peeks is worth more than today's."""
    read = read_by_rule(definition)
    return tuple(
        f"The rule reads {name}, and may be worth less than it seems: {finding.message}"
        for finding in findings
        if finding.topic == "leakage" and finding.severity == "warns"
        for name in finding.column.split(", ")
        if name in read
    )
