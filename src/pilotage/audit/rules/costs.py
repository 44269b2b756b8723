"""What each finding costs: decisions concerned, or points of AUC that stand on the columns at fault.

A quick model says what an input is worth (its AUC falls by so much when the input is shuffled). A fault that concerns
a share of the rows puts that share of the worth at stake; it is an order of magnitude, not a promise.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Cost, Finding
from pilotage.audit.rules.lineage import inputs_by_entity, inputs_from, source_of, with_derived
from pilotage.audit.rules.owners import names_of
from pilotage.usecase.records import Definition, Latest, Window

# Rows that are lost, or counted twice, whatever the columns say.
ROWS = frozenset(
    {
        "no-outcome",
        "orphans",
        "duplicates",
        "near-duplicates",
        "corrected-rows",
        "one-class",
        "few-outcomes",
        "label-noise",
        "contradictory-labels",
        "twins",
        "identifier-carries-label",
        "outcome-known-early",
        "outcome-delay",
    }
)
# Of these a share of nothing is nothing; where others say no share, everything that stands on their columns counts.
PARTS = frozenset({"many-to-many", "small-groups", "late-for-decision", "missing-not-at-random"})
POINTS_MIN = 0.0005
# Said of what a column holds, not of what it finds elsewhere: what is looked up by it is not at fault.
OF_THE_COLUMN_ITSELF = frozenset({"personal-data", "special-category", "small-groups"})
SKILL_LEAST = 0.05
"""Points of AUC above a coin toss: below, a share of them would make mountains of molehills."""


def with_costs(findings: Sequence[Finding], measured: Measured, definition: Definition) -> tuple[Finding, ...]:
    """The findings with their cost where one can be estimated; a cost that a finding has already is kept."""
    return tuple(
        finding if finding.cost else msgspec.structs.replace(finding, cost=cost_of(finding, measured, definition))
        for finding in findings
    )


def at_stake(finding: Finding, auc: float | None) -> float:
    """The share of all decisions, or of all skill of the quick model, that a finding puts at stake, 0 to 1 and rarely
    more: so findings with costs of either kind, or with none, can be put in one order.
    """
    if finding.cost is None:
        return min(finding.share, 1.0)
    skill = max((auc or 0.0) - 0.5, SKILL_LEAST)
    return finding.cost.value / skill if finding.cost.kind == "skill" else finding.cost.value


def in_percent(finding: Finding, share: float) -> str:
    """What is at stake with its unit: ``2.4% of rows``; empty where nothing is, or nobody could estimate it."""
    if share <= 0:
        return ""
    unit = "model skill" if finding.cost and finding.cost.kind == "skill" else "rows"
    return f"{percent(share)} of {unit}"


def percent(share: float) -> str:
    """A share to a tenth of a percent, and what is less in words."""
    return f"{min(share, 1.0):.1%}" if share >= 0.001 else "under 0.1%"


def cost_of(finding: Finding, measured: Measured, definition: Definition) -> Cost | None:
    """What one finding costs; None where nothing at all can be said."""
    if finding.code in ROWS or (finding.topic == "label" and not finding.column):
        return _rows(finding)
    inputs = concerned(finding, definition)
    if not inputs:
        return Cost("skill", 0.0, "No input stands on it.") if finding.column else _rows(finding)
    reference = measured.reference
    if reference.auc is None:
        return _rows(finding)
    worth = sum(reference.importance.get(name, 0.0) for name in inputs)
    share = min(finding.share, 1.0) or (0.0 if finding.code in PARTS else 1.0)
    return Cost("skill", worth * share, _says(worth, share, sorted(inputs), reference.auc))


def concerned(finding: Finding, definition: Definition) -> set[str]:
    """The inputs that a finding's columns reach: by their own names, or through the source's columns they take.

    Without a column the whole source is concerned. A leak in a case's own row reaches what takes it for the same case.
    """
    plan, source = definition.plan, finding.source
    names = {name.strip() for name in finding.column.split(",") if name.strip()}
    own = {name for name in names & {*plan.names, *plan.request} if source_of(definition, name) == source}
    if finding.code in OF_THE_COLUMN_ITSELF:
        lines = [c for c in plan.columns if isinstance(c, (Latest, Window)) and c.source == source]
        taken = {c.name for c in lines if c.take in names}
        return with_derived(plan, own | _sent(definition, source, names) | taken) & set(plan.names)
    if finding.topic == "leakage":
        by_entity = inputs_by_entity(definition, source)
        taken = {name for name, take in by_entity.items() if take in names}
    else:
        taken = inputs_from(definition, source, names or None) if source in definition.use_case.sources else set()
    return with_derived(plan, own | taken) & set(plan.names)


def _sent(definition: Definition, source: str, names: set[str]) -> set[str]:
    """Request columns that the app sends from these columns of the decision's source, under other names."""
    if source != definition.use_case.decision.source:
        return set()
    return {name for name, column in definition.plan.request.items() if column.column in names}


def _rows(finding: Finding) -> Cost | None:
    share = min(finding.share, 1.0)
    if not share:
        return None
    return Cost("rows", share, f"{share:.1%} of the rows looked at.")


def _says(worth: float, share: float, inputs: list[str], auc: float) -> str:
    named = names_of(inputs) if len(inputs) <= 3 else f"{names_of(inputs[:2])} and {len(inputs) - 2} more"
    stand = "stands" if len(inputs) == 1 else "stand"
    if worth < POINTS_MIN:
        return f"Next to nothing of a quick model's AUC of {auc:.3f} {stand} on {named}."
    said = f"About {worth:.3f} of a quick model's AUC of {auc:.3f} stand on {named}"
    return f"{said}." if share == 1 else f"{said}; {share:.1%} of it is at stake."
