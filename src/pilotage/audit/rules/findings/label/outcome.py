"""How many outcomes are known, how balanced they are, and in which groups they are few."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition

POSITIVES_MIN = 200
COMPLETE_MIN = 0.8
RARE_SHARE = 0.05


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    figures, use_case = measured.decisions, definition.use_case
    source = use_case.outcome.source
    owner = owner_of(use_case, source)

    def finding(
        code: str, severity: Severity, message: str, repair: str, share: float = 0.0, **figure: object
    ) -> Finding:
        return Finding(code, "label", severity, source, "", message, repair, owner, share=share, figures=figure)

    negatives = figures.labelled - figures.positives
    if not figures.positives or not negatives:
        yield finding(
            "one-class",
            "blocks",
            f"Of {figures.labelled:,} known outcomes {figures.positives:,} are positive: nothing to tell apart.",
            "Check `outcome.positive`, or wait until both kinds have happened.",
            share=1.0,
            labelled=figures.labelled,
            positives=figures.positives,
        )
        return
    share = figures.positives / figures.labelled
    if min(figures.positives, negatives) < POSITIVES_MIN:
        yield finding(
            "few-outcomes",
            "warns",
            f"Only {min(figures.positives, negatives):,} outcomes of the rarer kind are known.",
            f"Wait, or go further back: below {POSITIVES_MIN} no comparison with the rule will be certain.",
            share=1.0,
        )
    if not RARE_SHARE <= share <= 1 - RARE_SHARE:
        yield finding(
            "class-imbalance",
            "warns",
            f"{share:.1%} of known outcomes are positive: accuracy will say nothing.",
            "Judge by money and by precision at the threshold.",
            positive_share=share,
        )
    missing = 1 - figures.labelled / figures.decisions
    if missing > 0.005:
        yield finding(
            "no-outcome",
            "warns" if missing > 1 - COMPLETE_MIN else "informs",
            f"{missing:.1%} of decisions have no outcome after {use_case.outcome.matures}.",
            "Find out whether these differ from the rest (cancelled, lost, merged), and say so in the brief.",
            share=missing,
        )
    yield from _small_groups(definition, measured)


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
