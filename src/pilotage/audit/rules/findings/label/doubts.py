"""Outcomes that contradict each other, or look wrong."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.label import Noise
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition

CONTRADICTING_WARNS = 0.005
CONTRADICTING_INFORMS = 0.001
TELLING_MIN = 500
NOISE_INFORMS = 0.002
NOISE_WARNS = 0.005


def noise_in_words(noise: Noise) -> str:
    """For the answer on the ground truth: what is known of wrong outcomes, or why nothing is."""
    if noise.reason:
        return f"Whether outcomes are wrong was not measured: {noise.reason}."
    if noise.estimate >= NOISE_INFORMS:
        return f"About {noise.estimate:.1%} of outcomes look wrong, at most {noise.at_most:.1%} can be wrong by chance."
    return (
        f"No outcomes look wrong among the {noise.rows:,} looked at. That is weak evidence: a quick model tells them "
        f"with an AUC of {noise.auc:.2f} from {_told_by(noise)}; of those it is surest of {noise.at_most:.1%} have the "
        "other outcome. What is always recorded wrongly in the same way shows nowhere."
    )


def _told_by(noise: Noise) -> str:
    if not noise.hindsight:
        return "the inputs"
    return "all that is known by now, and columns that were made from the outcome share its errors"


def _apart(measured: Measured) -> str:
    """How far another outcome is another one."""
    face = measured.shape.face
    return "" if face.kind == "flag" else f": one is {face.are}, one is not"


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Equal inputs with different outcomes; more surprising outcomes than a problem of this difficulty has."""
    source = definition.use_case.outcome.source
    owner = owner_of(definition.use_case, source)
    against = measured.label.contradictions
    if against.looked_at >= TELLING_MIN and against.share >= CONTRADICTING_INFORMS:
        yield Finding(
            "contradictory-labels",
            "label",
            "warns" if against.share >= CONTRADICTING_WARNS else "informs",
            source,
            "",
            f"{against.rows:,} of {against.looked_at:,} decisions whose inputs no coincidence makes equal "
            f"({against.share:.1%}) have the inputs of another to the last value, and another outcome"
            f"{_apart(measured)}.",
            "Look at the samples: is a case recorded twice, is an outcome joined to the wrong case, or was it changed?",
            owner,
            concerns=against.rows,
            share=against.share,
            samples=against.samples,
            sampled=against.sampled,
        )
    noise = measured.label.noise
    if noise.reason or noise.estimate < NOISE_INFORMS:
        return
    with_what = "all that is known by now" if noise.hindsight else "the inputs"
    yield Finding(
        "label-noise",
        "label",
        "warns" if noise.estimate >= NOISE_WARNS else "informs",
        source,
        "",
        f"About {noise.estimate:.1%} of outcomes look wrong: with {with_what} a quick model tells outcomes with an AUC "
        f"of {noise.auc:.3f}, and where it is surest more have the other outcome than so hard a problem explains. "
        f"At most {noise.at_most:.1%} can be wrong by chance.",
        "Check the samples by hand, the least likely come first; then ask how the outcome is written down.",
        owner,
        concerns=round(noise.estimate * noise.rows),
        share=noise.estimate,
        samples=noise.samples,
        sampled=noise.sampled,
        figures={
            "auc": round(noise.auc, 4),
            "at_most": noise.at_most,
            "expected": noise.expected,
            "flagged": noise.flagged,
            "hindsight": noise.hindsight,
        },
    )
