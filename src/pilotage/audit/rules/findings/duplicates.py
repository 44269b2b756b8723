"""What is there more than once."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Rows and keys that occur again."""
    for figures in measured.sources.values():
        yield from _of_source(definition, measured, figures)


def _of_source(definition: Definition, measured: Measured, figures: SourceFigures) -> Iterator[Finding]:
    use_case = definition.use_case

    def finding(code: str, severity: Severity, column: str, message: str, repair: str, **figure: object) -> Finding:
        owner = owner_of(use_case, figures.source)
        return Finding(code, "duplicates", severity, figures.source, column, message, repair, owner, figures=figure)

    if figures.exact_duplicates:
        yield finding(
            "duplicates",
            "warns",
            "",
            f"{figures.exact_duplicates:,} of {figures.rows:,} rows are there more than once, to the last value.",
            "Stop writing them twice. They count once here.",
            rows=figures.exact_duplicates,
        )
    corrected = figures.rows - figures.keys - figures.exact_duplicates
    if corrected > 0:
        yield finding(
            "corrected-rows",
            "informs",
            ", ".join(use_case.sources[figures.source].key),
            f"{corrected:,} rows have a key that is there already: each counts as a correction from its `known_at` on.",
            "Check that `key` names one thing, and that these are corrections.",
            rows=corrected,
        )
