"""Single columns that tell the outcome better than an honest one could."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import Dominance, Separation
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.leakage.copies import INPUT, is_copy
from pilotage.audit.rules.lineage import inputs_by_entity, source_of
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition

# A whole honest model seldom reaches 0.9. A flight's departure delay alone has 0.946 for its late arrival.
TOO_GOOD_AUC = 0.90
ROWS_MIN = 200
# The length of a sales call has 0.81 alone for its success, all other columns together 0.79 on the same calls and
# 0.65 on later ones. Honest strong columns do not beat the others together: the outcome of the last campaign has 0.61.
BEATS_OTHERS_BY = 0.02


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Above 0.90 alone; or, of what comes with the case itself, better than everything else together."""
    good = [s for s in measured.leakage.separations if s.auc > TOO_GOOD_AUC and s.rows >= ROWS_MIN and not is_copy(s)]
    for separation in good:
        yield _too_good(definition, measured, separation)
    dominance = measured.leakage.dominance
    named = {s.column for s in measured.leakage.separations if s.source == INPUT and (s in good or is_copy(s))}
    if dominance and dominance.column not in named and dominance.auc >= dominance.others + BEATS_OTHERS_BY:
        yield _dominant(definition, measured, dominance)


def _too_good(definition: Definition, measured: Measured, separation: Separation) -> Finding:
    figures = {"auc": round(separation.auc, 4), "rows": separation.rows}
    if separation.source == INPUT:
        source = source_of(definition, separation.column)
        return Finding(
            "too-good-to-be-true",
            "leakage",
            "blocks",
            source,
            separation.column,
            f"Input {separation.column} alone orders outcomes with an AUC of {separation.auc:.3f}, as if it had been "
            "written after the outcome. Either its clock is wrong, or it repeats the outcome.",
            "Ask when this value is really written; correct `known_at`, or remove the input.",
            owner_of(definition.use_case, source),
            share=1.0,
            sampled=measured.leakage.sampled,
            figures=figures,
        )
    used = [n for n, take in inputs_by_entity(definition, separation.source).items() if take == separation.column]
    what = separation.column or f"Whether {separation.source} has a row"
    return Finding(
        "too-good-to-be-true",
        "leakage",
        "informs",
        separation.source,
        separation.column,
        f"{what} alone orders outcomes with an AUC of {separation.auc:.3f} when its clocks are ignored. "
        f"{f'As of the decision, {names_of(used)} takes it.' if used else 'No input uses it.'}",
        "Keep it out of the inputs for the same entity.",
        owner_of(definition.use_case, separation.source),
        sampled=measured.leakage.sampled,
        figures=figures,
    )


def _dominant(definition: Definition, measured: Measured, dominance: Dominance) -> Finding:
    source = source_of(definition, dominance.column)
    alone = next(s for s in measured.leakage.separations if (s.source, s.column) == (INPUT, dominance.column))
    return Finding(
        "too-good-to-be-true",
        "leakage",
        "warns",
        source,
        dominance.column,
        f"Input {dominance.column} alone orders outcomes with an AUC of {alone.auc:.3f}, the next best has "
        f"{dominance.next_best:.3f}; on later decisions it has {dominance.auc:.3f} and all other inputs together "
        f"{dominance.others:.3f}. What comes with the case and says that much may have been written afterwards.",
        f"Ask whether {dominance.column} is known before the decision. If not, remove the input.",
        owner_of(definition.use_case, source),
        share=1.0,
        sampled=measured.leakage.sampled,
        figures={
            "auc": round(alone.auc, 4),
            "auc_later": round(dominance.auc, 4),
            "next_best": round(dominance.next_best, 4),
            "others": round(dominance.others, 4),
        },
    )
