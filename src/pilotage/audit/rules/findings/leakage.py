"""Findings on leakage: values that would not be there, or could not be that good, when the decision is taken."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import LateColumns, Separation
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition, Given, Latest, Window

# A whole honest model seldom reaches 0.9; single columns that leaked: a flight's departure delay 0.946 for its arrival,
# the length of a sales call 0.93 for its success.
TOO_GOOD_AUC = 0.90
LATE_SHARE = 0.05
SEPARATION_ROWS_MIN = 200
_INPUTS = "inputs"


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Known after the decision by the clocks; too good to be true by the figures."""
    for late in measured.leakage.late:
        if late.share_after >= LATE_SHARE and late.columns:
            yield _known_after(definition, late)
    for separation in measured.leakage.separations:
        if separation.auc > TOO_GOOD_AUC and separation.rows >= SEPARATION_ROWS_MIN:
            yield _too_good(definition, separation)


def inputs_by_entity(definition: Definition, source: str) -> dict[str, str]:
    """Inputs that take a column of this source for the decision's own entity: input → column taken."""
    return {
        column.name: column.take
        for column in definition.plan.columns
        if isinstance(column, (Latest, Window)) and column.source == source and definition.plan.entity in column.by
    }


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
        figures={"share_after": late.share_after, "inputs": list(used)},
    )


def _too_good(definition: Definition, separation: Separation) -> Finding:
    figures = {"auc": round(separation.auc, 4), "rows": separation.rows}
    if separation.source == _INPUTS:
        source = _source_of(definition, separation.column)
        return Finding(
            code="too-good-to-be-true",
            topic="leakage",
            severity="blocks",
            source=source,
            column=separation.column,
            message=(
                f"Input {separation.column} alone orders outcomes with an AUC of {separation.auc:.3f}, as if it had "
                "been written after the outcome. Either its clock is wrong, or it repeats the outcome."
            ),
            repair="Ask when this value is really written; correct `known_at`, or remove the input.",
            owner=owner_of(definition.use_case, source),
            figures=figures,
        )
    used = [n for n, take in inputs_by_entity(definition, separation.source).items() if take == separation.column]
    return Finding(
        code="too-good-to-be-true",
        topic="leakage",
        severity="informs",
        source=separation.source,
        column=separation.column,
        message=(
            f"{separation.column} alone orders outcomes with an AUC of {separation.auc:.3f} when its clocks are "
            f"ignored. {f'As of the decision, {names_of(used)} takes it.' if used else 'No input uses it.'}"
        ),
        repair="Keep it out of the inputs for the same entity.",
        owner=owner_of(definition.use_case, separation.source),
        figures=figures,
    )


def _source_of(definition: Definition, name: str) -> str:
    for column in definition.plan.columns:
        if column.name == name and isinstance(column, (Latest, Window)):
            return column.source
        if column.name == name and isinstance(column, Given):
            return definition.use_case.decision.source
    return definition.use_case.decision.source
