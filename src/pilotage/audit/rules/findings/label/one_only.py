"""Outcomes that are all the same: there is nothing to predict."""

from __future__ import annotations

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.label.about import finding
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Finding | None:
    """The finding, where no outcome is known or each is the same; None where there is something to tell apart."""
    figures, shape = measured.decisions, measured.shape
    if 0 < figures.positives < figures.labelled:
        return None
    known = f"{figures.labelled:,} known outcomes"
    if not figures.labelled:
        message, wait = f"Of {figures.decisions:,} decisions none has a known outcome: nothing to tell apart.", "wait"
    elif shape.face.kind == "category":
        message = f"All {known} are of one category, {shape.face.are}: nothing to tell apart."
        wait = "wait until others have happened"
    elif shape.face.kind == "number":
        unit = definition.use_case.outcome.unit
        message = f"All {known} are {f'{shape.number.usual:,g} {unit}'.strip()}: nothing to tell apart."
        wait = "wait until others have happened"
    else:
        message = f"Of {known} {figures.positives:,} are positive: nothing to tell apart."
        wait = "wait until both kinds have happened"
    return finding(
        definition,
        "one-class",
        "blocks",
        message,
        f"Check `outcome.{definition.use_case.outcome.key}`, or {wait}.",
        share=1.0,
        labelled=figures.labelled,
        positives=figures.positives,
    )
