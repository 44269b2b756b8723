"""One of several categories: a probability per class, and how sure an answer has to be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Estimate, Trivial
from pilotage.models.rules import reliability
from pilotage.models.rules.calibrating import Temperature, temperature
from pilotage.models.rules.calibrating.temperature import class_losses
from pilotage.models.rules.evaluation import (
    HeldOut,
    Matrix,
    Vector,
    calibration_curve,
    estimate,
    mean_draws,
    ratio,
    resampled,
    total,
)
from pilotage.models.rules.judging.judge import Answers, Judged, Labels, Learnt, Money
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import OutcomeKind, Policy

UNKNOWN = -1
"""The code of a class that training did not see, and of an answer that was not given: always wrong."""


@dataclass(frozen=True)
class CategoryJudge:
    """Judges probabilities of classes."""

    time: HeldOut
    learnt: Learnt
    policy: Policy
    worth: Worth
    classes: tuple[str, ...]
    kind: OutcomeKind = "category"
    loss: str = "log_loss"
    main: str = "accuracy"

    def calibrated(self, margins: Matrix) -> Temperature:
        return temperature.fitted(margins, self.learnt.calibrate)

    def threshold(self, outputs: Matrix) -> None:
        return None

    def answered(self, outputs: Matrix, threshold: float | None) -> Answers:
        least = self.policy.confidence
        unsure = np.zeros(len(outputs), dtype=np.bool_) if least is None else outputs.max(axis=1) < least
        return Answers(outputs, outputs.argmax(axis=1), unsure)

    def told(self, held_out: Labels, calibrate: Labels) -> Answers:
        """Its probabilities are how often each class was behind its answer, where it gave that one."""
        behind = self._behind(calibrate)
        nobody = np.zeros(len(held_out), dtype=np.bool_)
        return Answers(behind[held_out], held_out, nobody)

    def _behind(self, said: Labels) -> Matrix:
        """Per answer (the last row: none) the shares of classes, by Laplace's rule spread as the training part's."""
        count = len(self.classes)
        usual = np.bincount(self.learnt.train[self.learnt.train >= 0], minlength=count) + 1.0
        usual = usual / usual.sum()
        found = np.tile(usual, (count + 1, 1))
        known = self.learnt.calibrate >= 0
        np.add.at(found, (said[known], self.learnt.calibrate[known]), 1.0)
        shares: Matrix = found / found.sum(axis=1, keepdims=True)
        return shares

    def judged(self, said: Answers, is_model: bool, random: np.random.Generator) -> Judged:
        time, truth = self.time, self.time.labels
        right = (said.answers == truth) & (truth >= 0)
        money = Money(self.earned(said), time)
        sure = said.outputs.max(axis=1)
        bins, error = calibration_curve(time, sure, right)
        recalls, precisions = self._by_class(said.answers, right)
        measures = {
            "accuracy": resampled(time, right.astype(np.float64)),
            "balanced_accuracy": estimate(_mean_over(recalls)),
            "macro_f1": estimate(_mean_over(ratio(2 * recalls * precisions, recalls + precisions), recalls)),
            "log_loss": resampled(time, self.losses(said)),
            "calibration_error": estimate(error),
        }
        means = reliability.measured(replace(time, labels=right), sure, random) if is_model and _varies(right) else None
        return Judged(said, measures, money.estimate, money.draws, money.days, money.rows, None, bins, means)

    def _by_class(self, answers: Labels, right: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
        """Recall and precision per resample and class; NaN recall where a resample has none of a class."""
        time, truth = self.time, self.time.labels
        recalls, precisions = [], []
        for code in range(len(self.classes)):
            hits, there = total(time, right & (truth == code)), total(time, truth == code)
            recalls.append(np.where(there > 0, ratio(hits, there), np.nan))
            precisions.append(ratio(hits, total(time, answers == code)))
        return np.column_stack(recalls), np.column_stack(precisions)

    def trivial(self, last: Labels | None, threshold: float | None) -> tuple[tuple[Trivial, Vector], ...]:
        """The most frequent class of the training part for everybody, and as it was last time."""
        time, count = self.time, len(self.classes)
        shares = np.bincount(self.learnt.train[self.learnt.train >= 0], minlength=count) + 1.0
        shares = shares / shares.sum()
        most = int(shares.argmax())
        loss = resampled(time, class_losses(np.tile(shares, (len(time.labels), 1)), time.labels))
        title = f"always answering {self.classes[most]}"
        found = [self._same("most_frequent", title, np.full(len(time.labels), most), loss)]
        if last is not None:
            found.append(self._same("last_value", "answering as the newest outcome known by then", last))
        return tuple(found)

    def _same(self, name: str, title: str, answers: Labels, loss: Estimate | None = None) -> tuple[Trivial, Vector]:
        right = (answers == self.time.labels) & (self.time.labels >= 0)
        draws = 1000 * mean_draws(self.time, self.worth.sorting(right))
        return Trivial(name, title, estimate(draws), loss), draws

    def earned(self, said: Answers) -> Vector:
        return self.worth.sorting(self.right(said) > 0) + said.review * self.worth.review

    def losses(self, said: Answers) -> Vector:
        return class_losses(said.outputs, self.time.labels)

    def right(self, said: Answers) -> Vector:
        right: Vector = ((said.answers == self.time.labels) & (self.time.labels >= 0)).astype(np.float64)
        return right

    def main_draws(self, time: HeldOut, said: Answers, rows: NDArray[np.intp]) -> Vector:
        return mean_draws(time, self.right(said)[rows])

    def part_measure(self, time: HeldOut, judged: Judged, rows: NDArray[np.intp]) -> Estimate:
        return estimate(self.main_draws(time, judged.said, rows))


def _varies(right: NDArray[np.bool_]) -> bool:
    return bool(right.any()) and not bool(right.all())


def _mean_over(by_class: Matrix, recalls: Matrix | None = None) -> Vector:
    """The mean over the classes that a resample has."""
    there = ~np.isnan(by_class if recalls is None else recalls)
    found: Vector = ratio(np.where(there, np.nan_to_num(by_class), 0.0).sum(axis=1), there.sum(axis=1).astype(float))
    return found
