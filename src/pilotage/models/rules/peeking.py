"""What the audit doubts of the figures: whether the rule, or every candidate, is judged by what it could not know."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.audit.records import Finding
from pilotage.audit.rules.lineage import read_by_rule
from pilotage.audit.rules.wording import known_early
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


def clock_cautions(findings: Sequence[Finding]) -> tuple[str, ...]:
    """That the outcome's clock tells no leakage: then no candidate's figures show whether it would hold in a pilot."""
    doubt = known_early(findings)
    if not doubt:
        return ()
    caution = (
        f"The audit cannot judge whether the data can carry a pilot: {doubt}. What was written after the decision "
        "cannot be told from what was known by then, so these figures may be too good. Give the outcome the clock of "
        "the day on which it was written down, and take out inputs that are filled only later."
    )
    return (caution,)
