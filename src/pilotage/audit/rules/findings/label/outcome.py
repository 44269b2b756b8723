"""What the outcomes are, how many are known, how balanced they are, and in which groups they are few."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.label import classes, numbers, one_only
from pilotage.audit.rules.findings.label.about import POSITIVES_MIN, few, finding
from pilotage.usecase.records import Definition, OutcomeKind

COMPLETE_MIN = 0.8
RARE_SHARE = 0.05


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Findings on what the outcomes are, then on how many are known; nothing where they are all the same."""
    all_alike = one_only.found(definition, measured)
    if all_alike is not None:
        yield all_alike
        return
    yield from _KINDS[definition.use_case.kind](definition, measured)
    yield from _without(definition, measured)
    yield from _small_groups(definition, measured)


def _flag(definition: Definition, measured: Measured) -> Iterator[Finding]:
    figures = measured.decisions
    rarer = min(figures.positives, figures.labelled - figures.positives)
    share = figures.positives / figures.labelled
    if rarer < POSITIVES_MIN:
        message = f"Only {rarer:,} outcomes of the rarer kind are known."
        yield few(definition, measured, message)
    if not RARE_SHARE <= share <= 1 - RARE_SHARE:
        yield finding(
            definition,
            "class-imbalance",
            "warns",
            f"{share:.1%} of known outcomes are positive: accuracy will say nothing.",
            "Judge by money and by precision at the threshold.",
            positive_share=share,
        )


_KINDS: dict[OutcomeKind, Callable[[Definition, Measured], Iterator[Finding]]] = {
    "flag": _flag,
    "category": classes.found,
    "number": numbers.found,
}


def _without(definition: Definition, measured: Measured) -> Iterator[Finding]:
    figures = measured.decisions
    missing = 1 - figures.labelled / figures.decisions
    if missing > 0.005:
        yield finding(
            definition,
            "no-outcome",
            "warns" if missing > 1 - COMPLETE_MIN else "informs",
            f"{missing:.1%} of decisions have no outcome after {definition.use_case.outcome.matures}.",
            "Find out whether these differ from the rest (cancelled, lost, merged), and say so in the brief.",
            share=missing,
        )


def _small_groups(definition: Definition, measured: Measured) -> Iterator[Finding]:
    for name, groups in measured.decisions.small_groups.items():
        rows = measured.decisions.small_group_rows.get(name, 0)
        yield Finding(
            "small-groups",
            "label",
            "informs",
            definition.use_case.decision.source,
            name,
            f"{groups:,} {'value' if groups == 1 else 'values'} of {name} with fewer than 50 known outcomes: a model "
            "is guessing there.",
            "Look at these groups in the comparison before exposing them.",
            definition.use_case.owner,
            concerns=rows,
            share=rows / max(measured.decisions.decisions, 1),
            figures={"groups": groups},
        )
