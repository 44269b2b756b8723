"""What is missing: by column, by time, by outcome."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition, Latest, Window

COMPLETE_MIN = 0.8


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    columns = {column.name: column for column in definition.plan.columns}
    for name, share in measured.decisions.input_completeness.items():
        column = columns[name]
        if share >= COMPLETE_MIN or not measured.decisions.decisions:
            continue
        taken = isinstance(column, (Latest, Window))
        source = column.source if isinstance(column, (Latest, Window)) else definition.use_case.decision.source
        yield Finding(
            "incomplete-input",
            "completeness",
            "blocks" if share == 0 else "warns",
            source,
            name,
            f"Input {name} is known in {share:.1%} of decisions.",
            "Widen its span, repair the source, or remove the input." if taken else "Repair the source, or remove it.",
            owner_of(definition.use_case, source),
            share=1 - share,
            figures={"complete": share},
        )
