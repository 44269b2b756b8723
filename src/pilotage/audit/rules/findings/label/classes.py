"""Outcomes that are categories: too few of some, too many in all, or nearly only one."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.label.about import POSITIVES_MIN, categories, few, finding
from pilotage.usecase.records import Definition

RARE_WARNS = 0.05
USUAL_SHARE = 0.95
MANY_SHARE = 0.2
MANY = 200


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Of outcomes of more than one category."""
    classes, labelled = measured.shape.classes, measured.decisions.labelled
    name, usual = measured.shape.face.are, measured.decisions.positives
    if classes.distinct > MANY_SHARE * labelled or classes.distinct > MANY:
        blocks = classes.distinct > MANY_SHARE * labelled
        yield finding(
            definition,
            "many-categories",
            "blocks" if blocks else "warns",
            f"{labelled:,} known outcomes are of {categories(classes.distinct)}"
            + (": most happened so seldom that nobody can learn them." if blocks else ", more than can be told apart."),
            "Put categories together that are acted on alike: `category: CASE WHEN … THEN 'refund' ELSE 'other' END`.",
            share=1.0 if blocks else 0.0,
            categories=classes.distinct,
        )
    elif classes.rare_count:
        yield _rare(definition, measured)
    others = labelled - usual
    if others < POSITIVES_MIN:
        yield few(definition, measured, f"Only {others:,} outcomes of another category than {name} are known.")
    if usual > USUAL_SHARE * labelled:
        yield finding(
            definition,
            "class-imbalance",
            "warns",
            f"{usual / labelled:.1%} of known outcomes are {name}: accuracy will say nothing.",
            "Judge by money, and by how many of each category are found.",
            usual_share=usual / labelled,
        )


def _rare(definition: Definition, measured: Measured) -> Finding:
    classes, labelled = measured.shape.classes, measured.decisions.labelled
    more = classes.rare_count - len(classes.rare)
    named = ", ".join(classes.rare) + (f" and {more:,} more" if more else "")
    share = classes.rare_rows / labelled
    verb = "has" if classes.rare_count == 1 else "have"
    return finding(
        definition,
        "rare-categories",
        "warns" if share >= RARE_WARNS else "informs",
        f"{classes.rare_count:,} of {categories(classes.distinct)} {verb} fewer than 50 known "
        f"outcomes ({named}), {share:.1%} of all: a model hardly learns {'it' if classes.rare_count == 1 else 'them'}.",
        "Wait for more of them, put them together with others, or leave them to people.",
        share=share,
        concerns=classes.rare_rows,
        categories=classes.distinct,
        rare=classes.rare_count,
    )
