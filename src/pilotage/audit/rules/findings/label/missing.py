"""What is missing, by outcome: a value that is missing more often for one of them tells it."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.label import MissingByLabel
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.leakage.copies import is_copy
from pilotage.audit.rules.lineage import source_of
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition, Latest, Window

# With thousands of columns some differ by chance: 3.9 standard errors happen once in ten thousand.
ERRORS_MIN = 3.9
EFFECT_INFORMS = 0.2
# What the app sends may have been filled in afterwards by hand; a looked-up row has a clock of its own. Air pressure is
# missing from the weather when it is bad: 0.6 in some months, and nothing is wrong.
EFFECT_WARNS_GIVEN = 0.5
EFFECT_WARNS_LOOKED_UP = 0.8
INPUT = "inputs"


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Missing not at random: of each input, and of columns beside the case that no input takes."""
    windows = {column.name for column in definition.plan.columns if isinstance(column, Window)}
    copies = {(s.source, s.column) for s in measured.leakage.separations if is_copy(s)}
    for figures in measured.label.missing:
        if (figures.source, figures.column) in copies or (figures.source == INPUT and figures.column in windows):
            continue  # an empty window is no missing value: nothing happened in it
        error = (figures.high - figures.low) / (2 * 1.96)
        same_way = figures.difference * figures.effect > 0
        if same_way and abs(figures.effect) >= EFFECT_INFORMS and abs(figures.difference) >= ERRORS_MIN * error:
            yield _finding(definition, figures, measured.shape.face.are)


def _finding(definition: Definition, figures: MissingByLabel, are: str) -> Finding:
    used = figures.source == INPUT
    source = source_of(definition, figures.column) if used else figures.source
    looked_up = any(isinstance(c, Latest) and c.name == figures.column for c in definition.plan.columns)
    limit = EFFECT_WARNS_LOOKED_UP if looked_up else EFFECT_WARNS_GIVEN
    severity: Severity = "warns" if used and abs(figures.effect) >= limit else "informs"
    return Finding(
        "missing-not-at-random",
        "completeness",
        severity,
        source,
        figures.column,
        f"Where {figures.column} is missing ({figures.missing / figures.rows:.1%}), {figures.rate_missing:.1%} of "
        f"outcomes are {are}, where it is known {figures.rate_known:.1%}: within the same time "
        f"{100 * figures.difference:+.1f} points (95 % interval {100 * figures.low:+.1f} to "
        f"{100 * figures.high:+.1f}).",
        "Ask when it is filled in. If after the outcome, it tells the outcome: remove the input. If it was missing at "
        "the decision too, being missing is worth an input of its own; never fill it with a mean."
        if used
        else "Nothing to do while no input takes it.",
        owner_of(definition.use_case, source),
        concerns=figures.missing,
        share=figures.missing / figures.rows,
        sampled=figures.sampled,
        figures={
            "rate_missing": figures.rate_missing,
            "rate_known": figures.rate_known,
            "difference": figures.difference,
            "low": figures.low,
            "high": figures.high,
            "effect": figures.effect,
        },
    )
