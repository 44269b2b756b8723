"""Yes or no: a probability, and the threshold from which acting is worth it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Estimate, Trivial
from pilotage.models.rules import reliability
from pilotage.models.rules.calibrating import ProbabilityCurve, curve
from pilotage.models.rules.calibrating.curve import log_losses
from pilotage.models.rules.evaluation import (
    HeldOut,
    Matrix,
    Vector,
    auc_draws,
    calibration_curve,
    estimate,
    mean_draws,
    ratio,
    resampled,
    total,
)
from pilotage.models.rules.judging.judge import Answers, Judged, Labels, Learnt, Money
from pilotage.models.rules.judging.worth import Worth
from pilotage.models.rules.thresholds import constrained, threshold, uncertain_band
from pilotage.usecase.records import Constraint, OutcomeKind, Policy

SURE = 0.5
"""Rule and people say 0 or 1; anything between separates them."""


@dataclass(frozen=True)
class FlagJudge:
    """Judges probabilities of a positive outcome."""

    time: HeldOut
    learnt: Learnt
    policy: Policy
    worth: Worth
    kind: OutcomeKind = "flag"
    loss: str = "log_loss"
    main: str = "auc"

    def calibrated(self, margins: Matrix) -> ProbabilityCurve:
        return curve.fitted(margins[:, 0], self.learnt.calibrate, self.learnt.clusters)

    def threshold(self, outputs: Matrix) -> float:
        asked = self.policy.threshold
        if isinstance(asked, Constraint):
            return constrained(asked, outputs[:, 0], self.learnt)
        return threshold(self.policy, self.worth.value)

    def answered(self, outputs: Matrix, threshold: float | None) -> Answers:
        at = SURE if threshold is None else threshold
        low, high = uncertain_band(self.policy, at)
        probabilities = outputs[:, 0]
        return Answers(outputs, probabilities >= at, (probabilities >= low) & (probabilities <= high), at)

    def told(self, held_out: Labels, calibrate: Labels) -> Answers:
        """Where nothing was said it counts as no. Probabilities are how often the outcome was positive behind it."""
        rates = rates_behind(calibrate, self.learnt.calibrate)
        outputs = np.where(held_out, rates[1], rates[0]).reshape(-1, 1)
        nobody = np.zeros(len(held_out), dtype=np.bool_)
        return Answers(outputs, held_out, nobody, SURE, held_out.astype(np.float64))

    def judged(self, said: Answers, is_model: bool, random: np.random.Generator) -> Judged:
        time, alert, positive = self.time, said.answers, self.time.labels
        probabilities = said.outputs[:, 0]
        money = Money(self.earned(said), time)
        caught, false = total(time, alert & positive), total(time, alert & ~positive)
        bins, error = calibration_curve(time, probabilities, positive)
        scores = probabilities if said.scores is None else said.scores
        measures = {
            "auc": estimate(auc_draws(time, scores)),
            "precision": estimate(ratio(caught, caught + false)),
            "recall": estimate(ratio(caught, total(time, positive))),
            "log_loss": resampled(time, self.losses(said)),
            "brier": resampled(time, (probabilities - positive) ** 2),
            "calibration_error": estimate(error),
        }
        means = reliability.measured(time, probabilities, random) if is_model else None
        return Judged(
            said, measures, money.estimate, money.draws, money.days, money.rows, float(alert.mean()), bins, means
        )

    def trivial(self, last: Labels | None, threshold: float | None) -> tuple[tuple[Trivial, Vector], ...]:
        """Always, never, the base rate of the training part for everybody, and as it was last time."""
        time, every = self.time, np.ones_like(self.time.labels)
        rate = float(self.learnt.train.mean())
        found = [
            self._same("always", "always acting", every),
            self._same("never", "never acting", ~every),
        ]
        loss = resampled(time, log_losses(np.full(len(time.labels), rate), time.labels))
        acts = threshold is not None and rate >= threshold
        words = f"giving everybody the {100 * rate:.1f} % of the training part"
        found.append(self._same("base_rate", words, every if acts else ~every, loss))
        if last is not None:
            found.append(self._same("last_value", "answering as the newest outcome known by then", last))
        return tuple(found)

    def _same(
        self, name: str, title: str, answers: NDArray[np.bool_], loss: Estimate | None = None
    ) -> tuple[Trivial, Vector]:
        draws = 1000 * mean_draws(self.time, self.worth.acting(answers, self.time.labels))
        return Trivial(name, title, estimate(draws), loss), draws

    def earned(self, said: Answers) -> Vector:
        return self.worth.acting(said.answers, self.time.labels) + said.review * self.worth.review

    def losses(self, said: Answers) -> Vector:
        return log_losses(said.outputs[:, 0], self.time.labels)

    def right(self, said: Answers) -> Vector:
        right: Vector = (said.answers == self.time.labels).astype(np.float64)
        return right

    def main_draws(self, time: HeldOut, said: Answers, rows: NDArray[np.intp]) -> Vector:
        scores = said.outputs[:, 0] if said.scores is None else said.scores
        return auc_draws(time, scores[rows])

    def part_measure(self, time: HeldOut, judged: Judged, rows: NDArray[np.intp]) -> Estimate:
        return estimate(self.main_draws(time, judged.said, rows))


def rates_behind(said: NDArray[np.bool_], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """How often the outcome was positive where the answer was no and where it was yes, by Laplace's rule."""
    yes, no = labels[said], labels[~said]
    return float((no.sum() + 1) / (len(no) + 2)), float((yes.sum() + 1) / (len(yes) + 2))
