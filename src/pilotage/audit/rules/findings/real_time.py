"""Which columns will be there when the decision is taken."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Columns that will not be there, or not fresh enough."""
    yield from ()
