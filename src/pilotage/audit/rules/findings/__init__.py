"""All findings of an audit, one file per topic; those first that forbid or cost most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.costs import with_costs
from pilotage.audit.rules.findings import (
    assumptions,
    bias,
    completeness,
    consistency,
    contract,
    currency,
    duplicates,
    keys,
    label,
    leakage,
    real_time,
    sensitive,
)
from pilotage.usecase.records import Definition

TOPICS: tuple[Callable[[Definition, Measured], Iterator[Finding]], ...] = (
    leakage.found,
    label.found,
    completeness.found,
    currency.found,
    duplicates.found,
    consistency.found,
    keys.found,
    bias.found,
    sensitive.found,
    real_time.found,
    contract.found,
    assumptions.found,
)
SKILL_LEAST = 0.05
"""Points of AUC above a coin toss: below, a share of them would make mountains of molehills."""
_ORDER: dict[Severity, int] = {"blocks": 0, "warns": 1, "informs": 2}


def findings(definition: Definition, measured: Measured) -> tuple[Finding, ...]:
    """Every finding with its identifier: by severity, then by what it costs."""
    found = [finding for topic in TOPICS for finding in topic(definition, measured)]
    found = list(with_costs(found, measured, definition))
    skill = max((measured.reference.auc or 0.0) - 0.5, SKILL_LEAST)
    return tuple(sorted(_identified(found), key=lambda f: (_ORDER[f.severity], -_worth(f, skill), f.id)))


def _worth(finding: Finding, skill: float) -> float:
    """The share of all decisions, or of all skill of the quick model, that is at stake: so both can be compared."""
    if finding.cost is None:
        return finding.share
    return finding.cost.value / skill if finding.cost.kind == "skill" else finding.cost.value


def _identified(found: list[Finding]) -> Iterator[Finding]:
    """Kind, source and column; a second finding of the same three gets a number.

    Which columns a finding of several names may change with every row, so that they are no part of its name.
    """
    taken: set[str] = set()
    for finding in found:
        name = f"{finding.code}:{finding.source}" + (
            f".{finding.column}" if finding.column and ", " not in finding.column else ""
        )
        free = next(candidate for candidate in _numbered(name) if candidate not in taken)
        taken.add(free)
        yield msgspec.structs.replace(finding, id=free)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}#{number}" for number in count(2))
