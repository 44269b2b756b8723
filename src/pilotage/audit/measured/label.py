"""Figures of the outcome: when it comes, how it changed, and whether it can be right."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.audit.measured.equal_inputs import EqualInputs


class OutcomeDelay(Struct, frozen=True):
    """``known_at`` of the first outcome minus the moment of the decision, in seconds, over decisions long past.

    ``early`` is the share of outcomes that were known by the moment of the decision.
    """

    rows: int
    median_seconds: float
    most_seconds: float
    nearly_all_seconds: float
    early: float
    sampled: int = 0


class Regime(Struct, frozen=True):
    """A stretch of time in which outcomes are equally often positive."""

    first: datetime
    last: datetime
    rows: int
    share: float


class Regimes(Struct, frozen=True):
    """The stretches found, oldest first; ``explained`` is their part of how the rate moved beyond chance, 0 to 1."""

    regimes: tuple[Regime, ...] = ()
    explained: float = 0.0


class Contradictions(EqualInputs, frozen=True):
    """Decisions with equal inputs and different outcomes.

    Equal inputs mean something only where a value of theirs occurs nowhere else: ``rows`` counts those.
    """


class Noise(Struct, frozen=True):
    """How many outcomes look wrong to a model that may use everything, also what became known afterwards.

    ``at_most``: among the surest decisions this share has the outcome that nobody would expect; wrong outcomes strike
    there as anywhere, so no more are wrong. ``expected``: what remains there if all outcomes are right, for a problem
    of equal difficulty. ``estimate`` is the excess, 0 where it may be chance. ``flagged`` decisions are named by
    cleanlab. ``reason`` says why there is no estimate.
    """

    rows: int = 0
    auc: float = 0.5
    hindsight: bool = False
    at_most: float = 1.0
    expected: float = 0.0
    estimate: float = 0.0
    flagged: int = 0
    samples: tuple[dict[str, str], ...] = ()
    sampled: int = 0
    reason: str = ""


class MissingByLabel(Struct, frozen=True):
    """A column's missing values and the outcome: the rate of positives where it is missing and where it is known.

    ``difference`` compares within stretches of time, with its 95 % interval; ``effect`` is Cohen's h of the two rates.
    """

    source: str
    column: str
    missing: int
    rows: int
    rate_missing: float
    rate_known: float
    difference: float
    low: float
    high: float
    effect: float
    sampled: int = 0


class LabelFigures(Struct, frozen=True):
    """Everything on the outcome."""

    delay: OutcomeDelay | None = None
    regimes: Regimes = Regimes()
    contradictions: Contradictions = Contradictions()
    noise: Noise = Noise(reason="not measured")
    missing: tuple[MissingByLabel, ...] = ()
