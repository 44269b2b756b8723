"""What the outcome is like: known and when, balanced, the same over time, and right."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.label import doubts, missing, outcome, times
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """All findings on the outcome; little can be said where there is only one kind of it."""
    both = 0 < measured.decisions.positives < measured.decisions.labelled
    yield from outcome.found(definition, measured)
    yield from times.found(definition, measured)
    if both:
        yield from doubts.found(definition, measured)
        yield from missing.found(definition, measured)
