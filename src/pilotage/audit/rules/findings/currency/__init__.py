"""How current the sources are: without a clock, stale, late, with gaps, with breaks in how many rows there are."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import about
from pilotage.audit.rules.findings.currency import clocks, gaps, syncing, volume
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """By source: its clocks first, then what is missing between the first row and the last."""
    yield from syncing.found(definition, measured)
    for this in about(definition, measured, "currency"):
        yield from clocks.found(this)
        yield from gaps.found(this)
        yield from volume.found(this)
