"""All findings of an audit, one file per topic; those first that forbid or cost most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.costs import at_stake, with_costs
from pilotage.audit.rules.findings import (
    answered,
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
    no_decisions,
    real_time,
    sensitive,
)
from pilotage.audit.rules.owners import answering
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
# What needs no decision to be said.
_OF_SOURCES = (
    completeness.found,
    currency.found,
    duplicates.found,
    consistency.found,
    sensitive.found,
    contract.found,
    assumptions.found,
)
_ORDER: dict[Severity, int] = {"blocks": 0, "warns": 1, "informs": 2}


def findings(definition: Definition, measured: Measured) -> tuple[Finding, ...]:
    """Every finding with its identifier: by severity, then by what it costs."""
    topics = TOPICS if measured.decisions.decisions else (no_decisions.found, *_OF_SOURCES)
    found = [_owned(definition, finding) for topic in topics for finding in topic(definition, measured)]
    told = answered.by_people(definition, list(_identified(found)))
    costed = with_costs(list(told), measured, definition)
    auc = measured.reference.auc
    return tuple(sorted(costed, key=lambda f: (_ORDER[f.severity], -at_stake(f, auc), f.id)))


def _owned(definition: Definition, finding: Finding) -> Finding:
    """Under nobody's name while the file only asks who answers for the use case."""
    use_case = definition.use_case
    asked = finding.owner == use_case.owner != answering(use_case)
    return msgspec.structs.replace(finding, owner=answering(use_case)) if asked else finding


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
