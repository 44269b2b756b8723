"""When outcomes come, and how their rate changed over time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from pilotage.audit.measured import Measured
from pilotage.audit.measured.label import OutcomeDelay, Regime
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import owner_of
from pilotage.audit.rules.spans import span
from pilotage.usecase.records import Definition, seconds

OUTCOMES_MIN = 200
DELAYS_MIN = 30
EARLY_SHARE = 0.05
RATIO = 1.5
STEEP_RATIO = 2.0
STEEP_STEP = 0.15
EXPLAINED_MIN = 0.6


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """An outcome that comes later than the file says or before the decision, and a rate that stepped."""
    delay = measured.label.delay
    if delay is not None and delay.rows >= DELAYS_MIN:
        yield from _delay(definition, delay)
    steps = _steps(measured)
    if steps:
        yield _regimes(definition, measured, steps)
    else:
        yield from _months(definition, measured)


def _delay(definition: Definition, delay: OutcomeDelay) -> Iterator[Finding]:
    outcome = definition.use_case.outcome
    source = definition.use_case.sources[outcome.source]
    owner = owner_of(definition.use_case, outcome.source)
    figures = {
        "median_seconds": delay.median_seconds,
        "most_seconds": delay.most_seconds,
        "nearly_all_seconds": delay.nearly_all_seconds,
        "early": delay.early,
    }
    if delay.early >= EARLY_SHARE:
        yield Finding(
            "outcome-known-early",
            "label",
            "warns",
            outcome.source,
            source.known_at,
            f"By {source.known_at} the outcome was known at the moment of decision in {delay.early:.1%} of cases: then "
            "nothing was left to predict, or this is not the time at which it became known.",
            "Give the outcome the clock of the day on which somebody wrote it down; else leakage cannot be seen by it.",
            owner,
            share=delay.early,
            sampled=delay.sampled,
            figures=figures,
        )
        return
    wanted = wanted_duration(max(delay.nearly_all_seconds, delay.most_seconds))
    short = seconds(outcome.matures) < delay.most_seconds
    message = (
        f"Half of the outcomes are known {span(delay.median_seconds)} after the decision, 95 % within "
        f"{span(delay.most_seconds)}, 99 % within {span(delay.nearly_all_seconds)}"
    )
    if short:
        message += f"; `matures` is {outcome.matures}: outcomes of the newest decisions are taken before they are there"
    yield Finding(
        "outcome-delay",
        "label",
        "warns" if short else "informs",
        outcome.source,
        source.known_at,
        f"{message}.",
        f"Write `matures: {wanted}`." if short else "Nothing to do: `matures` leaves them time.",
        definition.use_case.owner if short else owner,
        sampled=delay.sampled,
        figures={**figures, "matures": wanted if short else outcome.matures},
    )


def wanted_duration(needed_seconds: float) -> str:
    """The shortest duration a file can say that is no shorter."""
    for unit, size, most in (("minute", 60, 120), ("hour", 3600, 48), ("day", 86_400, 99_999)):
        count = max(1, math.ceil(needed_seconds / size))
        if count <= most:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "99999 days"


def _steps(measured: Measured) -> list[tuple[Regime, Regime]]:
    """Neighbouring stretches, where the stretches explain most of how the rate moved."""
    regimes = measured.label.regimes
    return list(pairwise(regimes.regimes)) if regimes.explained >= EXPLAINED_MIN else []


def _regimes(definition: Definition, measured: Measured, steps: list[tuple[Regime, Regime]]) -> Finding:
    regimes = measured.label.regimes.regimes
    steep = any(_is_steep(*sorted((before.share, after.share))) for before, after in steps)
    severity: Severity = "warns" if steep else "informs"
    said = ", then ".join(
        f"{regime.share:.1%} {'until' if number == 0 else 'from'} "
        f"{(regime.last if number == 0 else regime.first):%Y-%m-%d}"
        for number, regime in enumerate(regimes)
    )
    return Finding(
        "shifting-outcome",
        "label",
        severity,
        definition.use_case.outcome.source,
        "",
        f"The share of {measured.shape.face.them} stepped: {said}.",
        "Find out what changed on these days: whom you ask, what you count, or the world. Train on what still holds, "
        "split by time, and watch calibration.",
        owner_of(definition.use_case, definition.use_case.outcome.source),
        figures={
            "regimes": [
                {"from": f"{r.first:%Y-%m-%d}", "to": f"{r.last:%Y-%m-%d}", "rows": r.rows, "share": r.share}
                for r in regimes
            ],
            "explained": measured.label.regimes.explained,
        },
    )


def _is_steep(low: float, high: float) -> bool:
    return high >= STEEP_RATIO * low or high - low >= STEEP_STEP


def _months(definition: Definition, measured: Measured) -> Iterator[Finding]:
    shares = {m.month: m.positives / m.labelled for m in measured.decisions.balance if m.labelled >= OUTCOMES_MIN}
    if len(shares) < 2:
        return
    low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    them = measured.shape.face.them
    if shares[high] > RATIO * shares[low]:
        yield Finding(
            "shifting-outcome",
            "label",
            "informs",
            definition.use_case.outcome.source,
            "",
            f"{them[:1].upper()}{them[1:]} range from {shares[low]:.1%} ({low}) to {shares[high]:.1%} ({high}) "
            "by month.",
            "Split by time, never at random, and watch calibration.",
            owner_of(definition.use_case, definition.use_case.outcome.source),
            figures={"low": shares[low], "high": shares[high]},
        )
