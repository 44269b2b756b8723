"""What does not mean the same throughout."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import owner_of
from pilotage.data.rules.needs import needed_columns
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Categories written in several ways."""
    for figures in measured.sources.values():
        yield from _of_source(definition, measured, figures)


def _of_source(definition: Definition, measured: Measured, figures: SourceFigures) -> Iterator[Finding]:
    use_case = definition.use_case
    needed = set(needed_columns(definition)[figures.source])

    def finding(code: str, severity: Severity, column: str, message: str, repair: str, **figure: object) -> Finding:
        owner = owner_of(use_case, figures.source)
        return Finding(code, "consistency", severity, figures.source, column, message, repair, owner, figures=figure)

    for column, examples in figures.spellings.items():
        yield finding(
            "spelled-several-ways",
            "warns" if column in needed else "informs",
            column,
            f"{column} writes one category in several ways: {'; '.join(examples)}.",
            "Agree on one spelling at the source.",
        )
