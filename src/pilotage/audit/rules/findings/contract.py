"""Promises that were broken when they were last checked."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.data.contracts.records import Violation
from pilotage.usecase.records import Definition

_WHEN = {"sync": "at the last sync", "training": "before training", "decision": "at decisions"}


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """One finding per rule of a contract that does not hold."""
    for broken in measured.broken:
        yield _finding(broken)


def _finding(broken: Violation) -> Finding:
    repair = f"Ask {broken.owner}; where the rows are right, correct contracts/{broken.source}.yaml."
    return Finding(
        code="contract-broken",
        topic="contract",
        severity=broken.severity,
        source=broken.source,
        column=broken.column,
        message=f"{broken.message.rstrip('.')} ({broken.rule}, {_WHEN[broken.when]}).",
        repair=repair,
        owner=broken.owner,
        concerns=broken.rows,
        share=broken.rows / broken.of if broken.of else 0.0,
        figures={"rule": broken.rule, "when": broken.when, "keys": list(broken.keys)},
    )
