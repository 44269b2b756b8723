"""What judging has in common, whatever the outcome is: an answer per decision, its money, its loss, its measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Bin, Estimate, Reliability, Trivial
from pilotage.models.rules.calibrating import Calibration
from pilotage.models.rules.evaluation import HeldOut, Matrix, Vector, estimate, mean_draws
from pilotage.usecase.records import OutcomeKind

Labels = NDArray[Any]
"""True and False, codes of classes (-1: a class that training did not see), or numbers."""


@dataclass(frozen=True)
class Answers:
    """What one candidate says of many decisions. ``outputs`` are calibrated: rows × outputs; ``review``: to a person.

    ``scores`` rank decisions where outputs do not (a rule says yes or no).
    """

    outputs: Matrix
    answers: Labels
    review: NDArray[np.bool_]
    threshold: float | None = None
    scores: Vector | None = None


@dataclass(frozen=True)
class Judged:
    """Everything measured of one candidate.

    ``money_draws`` is paired between candidates: draw i has the same days. ``money_days`` is the money of each day,
    ``money_rows`` of each decision. ``main`` is the measure that slices are told by, per row or as ranks.
    """

    said: Answers
    measures: dict[str, Estimate]
    money: Estimate
    money_draws: Vector
    money_days: Vector
    money_rows: Vector
    alerts_share: float | None
    curve: tuple[Bin, ...] = ()
    reliability: Reliability | None = None


@dataclass(frozen=True)
class Learnt:
    """What a judge knows of the parts before the held-out one: labels, and the clusters of the calibration part.

    ``share``: of all decisions of the calibration part's days, known outcome or not, the share that it has.
    """

    train: Labels
    calibrate: Labels
    clusters: NDArray[np.int64]
    share: float = 1.0


class Judge(Protocol):
    """One kind of outcome: how margins become answers, and what answers are worth."""

    @property
    def kind(self) -> OutcomeKind: ...

    @property
    def time(self) -> HeldOut:
        """The held-out labels with their resamples."""

    @property
    def loss(self) -> str:
        """The measure that says how much a candidate knows; smaller is better."""

    @property
    def main(self) -> str:
        """The measure that slices are told by."""

    def calibrated(self, margins: Matrix) -> Calibration:
        """What brings margins to probabilities or intervals, from those of the calibration part."""

    def threshold(self, outputs: Matrix) -> float | None:
        """From which output on it acts, from the calibration part's where a constraint asks for it."""

    def answered(self, outputs: Matrix, threshold: float | None) -> Answers:
        """A model's answers of its outputs."""

    def told(self, held_out: Labels, calibrate: Labels) -> Answers:
        """The answers of a rule or of people, with what their answers meant in the calibration part."""

    def judged(self, said: Answers, is_model: bool, random: np.random.Generator) -> Judged:
        """Measure them."""

    def trivial(self, last: Labels | None, threshold: float | None) -> tuple[tuple[Trivial, Vector], ...]:
        """Answers without a model and their money draws; ``last`` are the outcomes known last by each decision."""

    def earned(self, said: Answers) -> Vector:
        """The money of every held-out decision, reviews paid for."""

    def losses(self, said: Answers) -> Vector:
        """The loss of every held-out decision."""

    def right(self, said: Answers) -> Vector:
        """1 where the answer is right and 0 where it is not; of numbers how far it is off."""

    def main_draws(self, time: HeldOut, said: Answers, rows: NDArray[np.intp]) -> Vector:
        """The main measure on some of the rows: itself, then per resample."""

    def part_measure(self, time: HeldOut, judged: Judged, rows: NDArray[np.intp]) -> Estimate:
        """The main measure on some of the rows."""


@dataclass(frozen=True)
class Money:
    """The money of every decision, summed up in every way that is asked for."""

    rows: Vector
    draws: Vector = field(init=False)
    days: Vector = field(init=False)
    time: HeldOut

    def __post_init__(self) -> None:
        object.__setattr__(self, "draws", 1000 * mean_draws(self.time, self.rows))
        days = np.bincount(self.time.days, self.rows, self.time.days_count).astype(np.float64)
        object.__setattr__(self, "days", days)

    @property
    def estimate(self) -> Estimate:
        """Per 1,000 decisions."""
        return estimate(self.draws)
