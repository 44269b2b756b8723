"""Outcomes that are numbers: nearly always the same one, or some far away from the others."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.label.about import POSITIVES_MIN, few, finding
from pilotage.data.records import QUANTILES
from pilotage.usecase.records import Definition

USUAL_SHARE = 0.5
FAR_SHARE = 0.0001


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Of outcomes that are more than one number."""
    number, labelled = measured.shape.number, measured.decisions.labelled
    unit = definition.use_case.outcome.unit
    if labelled < POSITIVES_MIN:
        yield few(definition, measured, f"Only {labelled:,} outcomes are known.")
    usual = number.usual_rows / labelled
    if usual > USUAL_SHARE:
        yield finding(
            definition,
            "mostly-one-value",
            "warns",
            f"{usual:.1%} of known outcomes are exactly {f'{number.usual:,g} {unit}'.strip()}: always saying that will "
            "be hard to beat.",
            "Ask first whether it is another number at all (`positive`), or count only the cases where it is "
            "(`decision.where`).",
            share=usual,
            value=number.usual,
        )
    if number.far > FAR_SHARE * labelled:
        yield _far(definition, measured)


def _far(definition: Definition, measured: Measured) -> Finding:
    number, labelled = measured.shape.number, measured.decisions.labelled
    unit = definition.use_case.outcome.unit
    low, high = number.quantiles[QUANTILES.index(0.25)], number.quantiles[QUANTILES.index(0.75)]
    share = number.far / labelled
    return finding(
        definition,
        "far-outcomes",
        "informs",
        f"{number.far:,} known outcomes ({share:.2%}) lie far from the middle half, which is from {low:,g} to "
        f"{f'{high:,g} {unit}'.strip()}: the least is {number.quantiles[0]:,g}, the greatest "
        f"{number.quantiles[-1]:,g}.",
        "Look at the samples. Where they are real, judge by what a unit costs, and not by squared errors, which they "
        "would rule; where they are not, make them unknown: `number: CASE WHEN x < 1000 THEN x END`.",
        share=share,
        samples=number.samples,
        concerns=number.far,
        fences=list(number.fences),
    )
