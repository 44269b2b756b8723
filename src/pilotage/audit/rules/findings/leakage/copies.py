"""Columns that are the label, or say as much as it."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import Separation
from pilotage.audit.records import Finding
from pilotage.audit.rules.lineage import inputs_by_entity, source_of
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition

AGREEMENT_MIN = 0.99
OF_THE_REST = 0.1
ROWS_MIN = 100
INPUT = "inputs"


def is_copy(separation: Separation) -> bool:
    """Whether it agrees in 99 of 100, and is wrong ten times less often than always saying the same."""
    wrong, usual = 1 - separation.agreement, 1 - separation.baseline
    return separation.rows >= ROWS_MIN and separation.agreement >= AGREEMENT_MIN and 0 < usual >= wrong / OF_THE_REST


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """One finding per copy."""
    for separation in measured.leakage.separations:
        if is_copy(separation):
            yield _copy(definition, measured, separation)


def _copy(definition: Definition, measured: Measured, separation: Separation) -> Finding:
    given = separation.source == INPUT
    source = source_of(definition, separation.column) if given else separation.source
    used = [separation.column] if given else _taking(definition, separation)
    what = separation.column or f"whether {source} has a row"
    cut = f" ({separation.cut})" if separation.cut and separation.column else ""
    face = measured.shape.face
    tells = "is the outcome" if face.kind == "flag" else f"tells whether the outcome is {face.are}"
    tells += "" if separation.agreement == 1 else f" in {separation.agreement:.2%} of cases"
    if given:
        use, repair = "; it is an input.", f"Remove the input {separation.column}: it will not be there in time."
    elif used:
        use = f" when its clocks are ignored; as of the decision, {names_of(used)} takes it."
        repair = "Check that `known_at` is the time at which it was written."
    else:
        use, repair = "; no input uses it.", "Keep it out of the inputs."
    return Finding(
        "copy-of-the-label",
        "leakage",
        "blocks" if given else "informs",
        source,
        separation.column,
        f"{what}{cut} {tells}{use}",
        repair,
        owner_of(definition.use_case, source),
        share=1.0 if given else 0.0,
        sampled=measured.leakage.sampled,
        figures={
            "agreement": separation.agreement,
            "baseline": separation.baseline,
            "auc": round(separation.auc, 4),
            "rows": separation.rows,
        },
    )


def _taking(definition: Definition, separation: Separation) -> list[str]:
    by_entity = inputs_by_entity(definition, separation.source)
    return [name for name, take in by_entity.items() if take == separation.column]
