"""What does not mean the same throughout: spellings, stand-ins, signs, dates, units, meanings, clocks, systems."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import about
from pilotage.audit.rules.findings.consistency import changes, dates, numbers, placeholders, systems, texts, zones
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """By source its columns, then along its time, then beside other sources."""
    for this in about(definition, measured, "consistency"):
        for look in (texts.found, placeholders.found, numbers.found, dates.found, changes.found, zones.found):
            yield from look(this)
    yield from systems.found(definition, measured)
