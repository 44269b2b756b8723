"""Single columns that tell the outcome better than an honest one could."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import Dominance, Separation
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.leakage.copies import INPUT, is_copy
from pilotage.audit.rules.lineage import inputs_by_entity, source_of
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition

# A whole honest model seldom reaches 0.9. A flight's departure delay alone has 0.946 for its late arrival.
TOO_GOOD_AUC = 0.90
# Measurements of a tumour reach 0.975 alone and are honest: a strong column is a question. This much is an answer.
CERTAIN_AUC = 0.99
ROWS_MIN = 200
# The length of a sales call has 0.81 alone for its success, all other columns together 0.79 on the same calls and
# 0.65 on later ones. Honest strong columns do not beat the others together: the outcome of the last campaign has 0.61.
BEATS_OTHERS_BY = 0.02
# Where nothing is later, the others share what their time has in common: then to be as good as all of them is enough.
AS_GOOD_WITHIN = 0.02
TOGETHER_MIN = 3
_NAMED_MAX = 5


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Above 0.90 alone; or, of what comes with the case itself, as good as everything else together."""
    good = [s for s in measured.leakage.separations if s.auc > TOO_GOOD_AUC and s.rows >= ROWS_MIN and not is_copy(s)]
    yield from _of_inputs(definition, measured, [s for s in good if s.source == INPUT])
    yield from _beside(definition, measured, [s for s in good if s.source != INPUT])
    dominance = measured.leakage.dominance
    named = {s.column for s in measured.leakage.separations if s.source == INPUT and (s in good or is_copy(s))}
    if dominance and dominance.column not in named and stands_out(dominance):
        yield _dominant(definition, measured, dominance)


def stands_out(dominance: Dominance) -> bool:
    """Whether it beats all others together, or is as good as they are where nothing is later."""
    return dominance.auc >= dominance.others + (BEATS_OTHERS_BY if dominance.in_time else -AS_GOOD_WITHIN)


def _of_inputs(definition: Definition, measured: Measured, good: Sequence[Separation]) -> Iterator[Finding]:
    """One finding each; of several that only warn, of one source, one for all: then the outcome may be that easy."""
    together: dict[str, list[Separation]] = {}
    for separation in good:
        if _is_certain(definition, separation):
            yield _input(definition, measured, separation, "blocks")
        else:
            together.setdefault(source_of(definition, separation.column), []).append(separation)
    for source, some in together.items():
        if len(some) >= TOGETHER_MIN:
            yield _inputs(definition, measured, source, some)
        else:
            yield from (_input(definition, measured, separation, "warns") for separation in some)


def _is_certain(definition: Definition, separation: Separation) -> bool:
    """Its clock says that it was known before, and what it says could only be known after.

    So where it is all but the outcome, or was looked up for this very case. Without a clock nothing is contradicted.
    """
    source = source_of(definition, separation.column)
    if definition.use_case.sources[source].is_static:
        return False
    return separation.auc >= CERTAIN_AUC or separation.column in inputs_by_entity(definition, source)


def _input(definition: Definition, measured: Measured, separation: Separation, severity: Severity) -> Finding:
    source = source_of(definition, separation.column)
    static = definition.use_case.sources[source].is_static
    if severity == "blocks":
        doubt = "as if it had been written after the outcome. Either its clock is wrong, or it repeats the outcome."
    else:
        doubt = "which few honest columns do: it may have been written, or written over, after the outcome."
    return Finding(
        "too-good-to-be-true",
        "leakage",
        severity,
        source,
        separation.column,
        f"Input {separation.column} alone orders outcomes with an AUC of {separation.auc:.3f}, {doubt}",
        f"Ask when this value is really written; {'name its clock' if static else 'correct `known_at`'}, or remove the "
        "input. If it is genuine, say so under `answers.findings`.",
        owner_of(definition.use_case, source),
        share=1.0,
        sampled=measured.leakage.sampled,
        figures={"auc": round(separation.auc, 4), "rows": separation.rows},
    )


def _inputs(definition: Definition, measured: Measured, source: str, good: Sequence[Separation]) -> Finding:
    ordered = sorted(good, key=lambda separation: -separation.auc)
    return Finding(
        "too-good-to-be-true",
        "leakage",
        "warns",
        source,
        ", ".join(separation.column for separation in ordered),
        f"Each of {len(ordered)} inputs alone orders outcomes with an AUC above {TOO_GOOD_AUC:.2f}: "
        f"{_with_areas(ordered)}. Either this outcome is easy to tell, or they were written after it.",
        "Ask when these values are written, the best first. If they are genuine, say so under `answers.findings`.",
        owner_of(definition.use_case, source),
        share=1.0,
        sampled=measured.leakage.sampled,
        figures={"auc": {separation.column: round(separation.auc, 4) for separation in ordered}},
    )


def _beside(definition: Definition, measured: Measured, good: Sequence[Separation]) -> Iterator[Finding]:
    """Columns that no input takes are only to be known: several of one source at once."""
    together: dict[str, list[Separation]] = {}
    for separation in good:
        used = separation.column in inputs_by_entity(definition, separation.source).values()
        if used or not separation.column:
            yield _unused(definition, measured, separation)
        else:
            together.setdefault(separation.source, []).append(separation)
    for some in together.values():
        if len(some) >= TOGETHER_MIN:
            yield _all_unused(definition, measured, some)
        else:
            yield from (_unused(definition, measured, separation) for separation in some)


def _all_unused(definition: Definition, measured: Measured, good: Sequence[Separation]) -> Finding:
    ordered = sorted(good, key=lambda separation: -separation.auc)
    source = ordered[0].source
    return Finding(
        "too-good-to-be-true",
        "leakage",
        "informs",
        source,
        ", ".join(separation.column for separation in ordered),
        f"Each of {len(ordered)} columns alone orders outcomes with an AUC above {TOO_GOOD_AUC:.2f} when its clocks "
        f"are ignored: {_with_areas(ordered)}. No input uses them.",
        "Keep them out of the inputs for the same entity.",
        owner_of(definition.use_case, source),
        sampled=measured.leakage.sampled,
        figures={"auc": {separation.column: round(separation.auc, 4) for separation in ordered}},
    )


def _with_areas(ordered: Sequence[Separation]) -> str:
    named = [f"{separation.column} ({separation.auc:.3f})" for separation in ordered[:_NAMED_MAX]]
    return names_of([*named, *([f"{len(ordered) - _NAMED_MAX} more"] if len(ordered) > _NAMED_MAX else [])])


def _unused(definition: Definition, measured: Measured, separation: Separation) -> Finding:
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
        figures={"auc": round(separation.auc, 4), "rows": separation.rows},
    )


def _dominant(definition: Definition, measured: Measured, dominance: Dominance) -> Finding:
    source = source_of(definition, dominance.column)
    alone = next(s for s in measured.leakage.separations if (s.source, s.column) == (INPUT, dominance.column))
    where = "on later decisions" if dominance.in_time else "on decisions that a model did not see"
    return Finding(
        "too-good-to-be-true",
        "leakage",
        "warns",
        source,
        dominance.column,
        f"Input {dominance.column} alone orders outcomes with an AUC of {alone.auc:.3f}, the next best has "
        f"{dominance.next_best:.3f}; {where} it has {dominance.auc:.3f} and all other inputs together "
        f"{dominance.others:.3f}. What comes with the case and says that much may have been written afterwards.",
        f"Ask whether {dominance.column} is known before the decision. If not, remove the input; if it is, say so "
        "under `answers.findings`.",
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
