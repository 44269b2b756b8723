"""Dates that come with the case and lie after the decision: what they tell of has not happened yet."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import LaterDates
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.lineage import read_by_rule, source_of, with_derived
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.telling_dates import is_planned
from pilotage.usecase.records import Definition

LATER_SHARE = 0.01


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """One finding per date; of one whose name says that it is a plan, only to be known."""
    for later in measured.leakage.dates:
        if later.after >= LATER_SHARE * later.rows:
            yield _later(definition, later)


def _later(definition: Definition, later: LaterDates) -> Finding:
    used = sorted(with_derived(definition.plan, {later.column}) & set(definition.plan.names))
    ruled = later.column in read_by_rule(definition)
    standing = [*used, *(["the rule"] if ruled else [])]
    share = later.after / later.rows
    severity: Severity = "warns" if standing and not is_planned(later.column) else "informs"
    source = source_of(definition, later.column)
    stand = "stands" if len(standing) == 1 else "stand"
    stands = f"{names_of(standing)} {stand} on it" if standing else "no input stands on it"
    if severity == "warns":
        removed = [f"Remove {names_of(used)}"] if used else []
        away = " and ".join([*removed, *([f"{'t' if used else 'T'}ake it out of the rule"] if ruled else [])])
        repair = f"{away}. If it is a plan, known before, say so under `answers.findings`."
    else:
        repair = "Nothing to do, if it is a plan that is known before the decision."
    return Finding(
        "later-than-decision",
        "leakage",
        severity,
        source,
        later.column,
        f"{later.column} lies after the moment of decision in {later.after:,} of the {later.rows:,} decisions that "
        f"have one ({share:.1%}); {stands}. Unless it is a plan, nobody knows it then.",
        repair,
        owner_of(definition.use_case, source),
        concerns=later.after,
        share=share,
        samples=later.samples,
        figures={"after": later.after, "rows": later.rows, "inputs": used},
    )
