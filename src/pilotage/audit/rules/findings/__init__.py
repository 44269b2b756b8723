"""All findings of an audit, one file per topic; those first that forbid or cost most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings import (
    bias,
    completeness,
    consistency,
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
)
_ORDER: dict[Severity, int] = {"blocks": 0, "warns": 1, "informs": 2}


def findings(definition: Definition, measured: Measured) -> tuple[Finding, ...]:
    """Every finding with its identifier: by severity, then by what it costs."""
    found = [finding for topic in TOPICS for finding in topic(definition, measured)]
    return tuple(sorted(_identified(found), key=lambda f: (_ORDER[f.severity], -_worth(f), f.id)))


def _worth(finding: Finding) -> float:
    return finding.cost.value if finding.cost else finding.share


def _identified(found: list[Finding]) -> Iterator[Finding]:
    """Kind, source and column; a second finding of the same three gets a number."""
    taken: set[str] = set()
    for finding in found:
        name = f"{finding.code}:{finding.source}" + (f".{finding.column}" if finding.column else "")
        free = next(candidate for candidate in _numbered(name) if candidate not in taken)
        taken.add(free)
        yield msgspec.structs.replace(finding, id=free)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}#{number}" for number in count(2))
