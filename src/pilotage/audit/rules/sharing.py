"""What of the findings may leave the audit: sample rows masked, small groups not told. The one place for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.sensitive import proposals
from pilotage.audit.rules.suppression import suppressed
from pilotage.govern.records import Mask
from pilotage.govern.rules.masking import masked_rows, masked_text
from pilotage.usecase.records import Definition

Masks = Mapping[str, Mapping[str, Mask]]
"""Source → column → how its values are shown; columns that are not named are shown but for traces of people in them."""


def shareable(
    definition: Definition, measured: Measured, findings: Iterable[Finding], masks: Masks, secret: bytes
) -> tuple[Finding, ...]:
    """The findings as they are kept, shown and sent. ``masks`` are those of the contracts, and win."""
    every = all_masks(definition, measured, masks)
    return tuple(_masked(finding, every, secret) for finding in findings)


def all_masks(definition: Definition, measured: Measured, masks: Masks) -> dict[str, dict[str, Mask]]:
    """The contracts' masks, else what is proposed for what looks personal, else ends only for what is declared so."""
    every: dict[str, dict[str, Mask]] = {name: {} for name in definition.use_case.sources}
    declared = {column.column or name for name, column in definition.plan.request.items() if column.personal}
    for of_source in every.values():
        of_source.update(dict.fromkeys(declared, "partial"))
    for source, proposed in proposals(measured).items():
        every.setdefault(source, {}).update({column: each.mask for column, each in proposed.items()})
    for source, columns in masks.items():
        every.setdefault(source, {}).update(columns)
    return every


def _masked(finding: Finding, masks: Masks, secret: bytes) -> Finding:
    """Sample rows by their columns' masks; a sentence about such a column without traces of people."""
    of_source = masks.get(finding.source, {})
    about = any(of_source.get(column, "none") != "none" for column in finding.column.split(", "))
    return msgspec.structs.replace(
        finding,
        samples=masked_rows(finding.samples, of_source, secret),
        message=masked_text(finding.message) if about else finding.message,
        figures=suppressed(finding.figures) if finding.topic == "bias" else finding.figures,
    )
