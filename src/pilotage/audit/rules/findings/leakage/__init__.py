"""Values that would not be there, or could not be that good, when the decision is taken."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.leakage import clocks, copies, dates, given_away, rule, too_good
from pilotage.audit.rules.findings.leakage.clocks import LATE_SHARE
from pilotage.audit.rules.findings.leakage.too_good import TOO_GOOD_AUC
from pilotage.usecase.records import Definition

__all__ = ["LATE_SHARE", "TOO_GOOD_AUC", "found"]


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Known after the decision by the clocks; too good to be true by the figures; cases that give themselves away."""
    yield from clocks.found(definition, measured)
    yield from dates.found(definition, measured)
    yield from copies.found(definition, measured)
    yield from too_good.found(definition, measured)
    yield from rule.found(definition, measured)
    yield from given_away.found(definition, measured)
