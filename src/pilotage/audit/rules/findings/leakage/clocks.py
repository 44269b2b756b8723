"""Known only after the decision, by the clocks."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import LateColumns
from pilotage.audit.records import Finding
from pilotage.audit.rules.lineage import inputs_by_entity
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition

LATE_SHARE = 0.05


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Sources with the entity whose rows come after the decision."""
    for late in measured.leakage.late:
        if late.share_after >= LATE_SHARE and late.columns:
            yield _known_after(definition, late)


def _known_after(definition: Definition, late: LateColumns) -> Finding:
    used = inputs_by_entity(definition, late.source)
    share = f"{late.share_after:.1%}"
    columns = names_of(late.columns)
    common = (
        f"{columns} of the decision's own {definition.plan.entity} became known after the decision in {share} of rows"
    )
    if used:
        message = f"{common}; {names_of(list(used))} would take what is not there yet."
        repair = f"Remove {names_of(list(used))}, or decide later."
    else:
        message = f"{common}: refused as inputs. Nothing uses them."
        repair = "Nothing to do. They may be looked up by another key, for earlier events."
    return Finding(
        code="known-after-decision",
        topic="leakage",
        severity="blocks" if used else "informs",
        source=late.source,
        column=", ".join(late.columns),
        message=message,
        repair=repair,
        owner=definition.use_case.owner if used else owner_of(definition.use_case, late.source),
        share=late.share_after,
        sampled=late.sampled,
        figures={"share_after": late.share_after, "inputs": list(used)},
    )
