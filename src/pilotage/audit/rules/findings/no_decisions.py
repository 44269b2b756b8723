"""A use case of which nothing was decided yet: all that could be said of its decisions is that there are none."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """One finding that blocks, with the reason for which no training set can be built."""
    source = definition.use_case.decision.source
    reason, remedy = measured.decisions.why_none
    yield Finding(
        "no-decisions",
        "label",
        "blocks",
        source,
        "",
        f"{reason} Nothing can be said of keys, outcomes or leaks.",
        remedy,
        owner_of(definition.use_case, source),
    )
