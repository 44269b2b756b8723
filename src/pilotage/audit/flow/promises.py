"""Contracts as the audit sees them: which sources have one, what they mask, and how one is drafted."""

from __future__ import annotations

from collections.abc import Iterable

from pilotage.audit.records import ProtectedColumn
from pilotage.data.contracts.records import Contract
from pilotage.data.flow.contracting import current
from pilotage.data.flow.drafting import draft_text
from pilotage.govern.records import Mask
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition


def contracts(work: Workspace, definition: Definition) -> dict[str, Contract]:
    """The contracts that were adopted with the use case, by source."""
    return current(work, definition.name)


def masks_of(found: Iterable[Contract]) -> dict[str, dict[str, Mask]]:
    """Source → column → how its values are shown.

    A contract that says nothing of a column does not bring to sight what looks personal in it: only ``public`` does.
    """
    return {
        contract.contract: {
            name: column.mask
            for name, column in contract.columns.items()
            if column.mask != "none" or column.sensitivity == "public"
        }
        for contract in found
    }


def drafted(work: Workspace, definition: Definition, source: str, protected: Iterable[ProtectedColumn]) -> str:
    """The text of a contract for a source: what held so far in its rows, and what the audit says of personal data.

    Raises:
        EvidenceMissing: the source was never synced.
    """
    protections = {each.column: each.protection for each in protected if each.source == source}
    return draft_text(work, definition, source, protections)
