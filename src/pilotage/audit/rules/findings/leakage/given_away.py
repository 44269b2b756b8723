"""Cases that give themselves away: by their identifier, through a join, or because they were seen before."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import IdentifierSkill, JoinSkill
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition

IDENTIFIER_AUC = 0.62
IDENTIFIER_ERRORS = 6.0
RARE_AUC = 0.68
RARE_LEAD = 0.08
RARE_ERRORS = 4.0
TWINS_MIN = 10
TWINS_INFORMS = 0.002
TWINS_WARNS = 0.01


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Identifiers that carry the outcome, outcomes that come back through a join, twins across the split."""
    for skill in measured.leakage.identifiers:
        if skill.rate is not None or (skill.auc >= IDENTIFIER_AUC and skill.z >= IDENTIFIER_ERRORS):
            yield _identifier(definition, measured, skill)
    for join in measured.leakage.joins:
        lead = join.rare_auc - join.common_auc
        if join.rare_auc >= RARE_AUC and lead >= RARE_LEAD and join.z >= RARE_ERRORS:
            yield _join(definition, measured, join)
    yield from _twins(definition, measured)


def _identifier(definition: Definition, measured: Measured, skill: IdentifierSkill) -> Finding:
    if skill.rate is not None and skill.expected is not None:
        said = (
            f"Of {skill.rows:,} decisions whose {skill.column} has {skill.group!r} as {skill.part}, {skill.rate:.1%} "
            f"are {measured.shape.face.are}, where {skill.expected:.1%} is to be expected"
        )
        figures: dict[str, object] = {"group": skill.group, "rate": skill.rate, "expected": skill.expected}
    else:
        said = (
            f"Among decisions of one time and equal prospects, {skill.column} by {skill.part} orders outcomes with an "
            f"AUC of {skill.auc:.3f}"
        )
        figures = {"auc": round(skill.auc, 4)}
    used = skill.column in definition.plan.names
    return Finding(
        "identifier-carries-label",
        "leakage",
        "blocks" if used else "warns",
        skill.source,
        skill.column,
        f"{said}: it was given, or the cases were put in order, when the outcome was known.",
        f"{'Remove the input. ' if used else ''}Ask how {skill.column} is given, and whether these cases were "
        "chosen by their outcome.",
        owner_of(definition.use_case, skill.source),
        concerns=skill.rows if skill.rate is not None else 0,
        share=skill.rows / max(measured.leakage.sampled or measured.decisions.labelled, 1),
        sampled=measured.leakage.sampled,
        figures={"part": skill.part, "z": round(skill.z, 1), "rows": skill.rows, **figures},
    )


def _join(definition: Definition, measured: Measured, join: JoinSkill) -> Finding:
    by = names_of(join.by)
    return Finding(
        "leaks-through-join",
        "leakage",
        "warns",
        join.source,
        join.column,
        f"Input {join.column} orders outcomes with an AUC of {join.rare_auc:.3f} where up to three decisions share "
        f"their {by}, and of {join.common_auc:.3f} where ten or more do. A value made from the past says least of "
        "those that are rarely seen; one that was made from the outcomes themselves says most of them.",
        f"Ask from which rows {join.source} is made. If from outcomes, make it from those known before each decision: "
        "an input with `windows`.",
        owner_of(definition.use_case, join.source),
        concerns=join.rare_rows,
        share=join.rare_rows / max(measured.leakage.sampled or measured.decisions.labelled, 1),
        sampled=measured.leakage.sampled,
        figures={
            "rare_auc": round(join.rare_auc, 4),
            "rare_rows": join.rare_rows,
            "common_auc": round(join.common_auc, 4),
            "common_rows": join.common_rows,
            "z": round(join.z, 1),
        },
    )


def _twins(definition: Definition, measured: Measured) -> Iterator[Finding]:
    twins = measured.leakage.twins
    if twins.rows < TWINS_MIN or twins.share < TWINS_INFORMS:
        return
    source = definition.use_case.decision.source
    yield Finding(
        "twins",
        "leakage",
        "warns" if twins.share >= TWINS_WARNS else "informs",
        source,
        definition.plan.entity,
        f"{twins.rows:,} of {twins.looked_at:,} decisions ({twins.share:.1%}) of the last fifth of time, whose inputs "
        "no coincidence makes equal, have the inputs and the outcome of an earlier one: a model that learns by heart "
        "looks good on them.",
        f"Find out whether one case has several {definition.plan.entity}; decide and count it once.",
        owner_of(definition.use_case, source),
        concerns=twins.rows,
        share=twins.share,
        samples=twins.samples,
        sampled=twins.sampled,
    )
