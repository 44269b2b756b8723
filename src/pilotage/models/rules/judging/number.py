"""A number: the answer that costs least, and the interval around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Bin, Estimate, Trivial
from pilotage.models.rules.calibrating import Spans, spans
from pilotage.models.rules.evaluation import BINS, HeldOut, Matrix, Vector, estimate, mean_draws, resampled
from pilotage.models.rules.judging.judge import Answers, Judged, Labels, Learnt, Money
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import OutcomeKind, Policy


@dataclass(frozen=True)
class NumberJudge:
    """Judges numbers with intervals."""

    time: HeldOut
    learnt: Learnt
    policy: Policy
    worth: Worth
    kind: OutcomeKind = "number"
    loss: str = "pinball"
    main: str = "mean_absolute_error"

    def calibrated(self, margins: Matrix) -> Spans:
        return spans.fitted(margins[:, 0], self.learnt.calibrate, self.worth.quantile)

    def threshold(self, outputs: Matrix) -> float | None:
        asked = self.policy.threshold
        return float(asked) if isinstance(asked, (int, float)) else None

    def answered(self, outputs: Matrix, threshold: float | None) -> Answers:
        most = self.policy.width
        nobody = np.zeros(len(outputs), dtype=np.bool_)
        return Answers(
            outputs, outputs[:, 0], nobody if most is None else outputs[:, 2] - outputs[:, 1] > most, threshold
        )

    def told(self, held_out: Labels, calibrate: Labels) -> Answers:
        """Where nothing was said, the default of the file, else the usual number of the training part, stands in."""
        asked = self.policy.default
        usual = float(asked) if isinstance(asked, (int, float)) else self._usual
        answers = np.where(np.isnan(held_out), usual, held_out)
        nothing = np.full(len(answers), np.nan)
        nobody = np.zeros(len(answers), dtype=np.bool_)
        return Answers(np.column_stack([answers, nothing, nothing]), answers, nobody, self.threshold(np.empty((0, 1))))

    @property
    def _usual(self) -> float:
        return float(np.quantile(self.learnt.train, self.worth.quantile))

    def judged(self, said: Answers, is_model: bool, random: np.random.Generator) -> Judged:
        time, truth = self.time, self.time.labels
        money = Money(self.earned(said), time)
        over = said.answers - truth
        squares = mean_draws(time, over**2)
        measures = {
            "mean_absolute_error": resampled(time, np.abs(over)),
            "root_mean_squared_error": estimate(np.sqrt(squares)),
            "bias": resampled(time, over),
            "pinball": resampled(time, self.losses(said)),
        }
        if is_model:
            low, high = said.outputs[:, 1], said.outputs[:, 2]
            measures["coverage"] = resampled(time, ((truth >= low) & (truth <= high)).astype(np.float64))
            measures["width"] = resampled(time, high - low)
        at = said.threshold
        alerts = None if at is None else float((said.answers >= at).mean())
        curve = _curve(said.answers, truth)
        return Judged(said, measures, money.estimate, money.draws, money.days, money.rows, alerts, curve)

    def _pinball(self, over: Vector) -> Vector:
        """Half the absolute error where too low and too high cost the same (Koenker, Bassett 1978)."""
        quantile = self.worth.quantile
        return np.where(over > 0, (1 - quantile) * over, -quantile * over)

    def trivial(self, last: Labels | None, threshold: float | None) -> tuple[tuple[Trivial, Vector], ...]:
        """The usual number of the training part for everybody, and as it was last time."""
        usual = self._usual
        every = np.full(len(self.time.labels), usual)
        found = [self._same("usual", f"always answering {usual:,.4g}", every)]
        if last is not None:
            found.append(self._same("last_value", "answering as the newest outcome known by then", last))
        return tuple(found)

    def _same(self, name: str, title: str, answers: Vector) -> tuple[Trivial, Vector]:
        draws = 1000 * mean_draws(self.time, self.worth.estimating(answers, self.time.labels))
        loss = resampled(self.time, self._pinball(answers - self.time.labels))
        return Trivial(name, title, estimate(draws), loss), draws

    def earned(self, said: Answers) -> Vector:
        return self.worth.estimating(said.answers, self.time.labels) + said.review * self.worth.review

    def losses(self, said: Answers) -> Vector:
        return self._pinball(said.answers - self.time.labels)

    def right(self, said: Answers) -> Vector:
        off: Vector = np.abs(said.answers - self.time.labels)
        return off

    def main_draws(self, time: HeldOut, said: Answers, rows: NDArray[np.intp]) -> Vector:
        return mean_draws(time, self.right(said)[rows])

    def part_measure(self, time: HeldOut, judged: Judged, rows: NDArray[np.intp]) -> Estimate:
        return estimate(self.main_draws(time, judged.said, rows))


def _curve(answers: Vector, truth: Vector) -> tuple[Bin, ...]:
    """Mean answer and mean truth in bins of equally many rows."""
    order = np.argsort(answers, kind="stable")
    parts = np.array_split(order, min(BINS, len(order)))
    return tuple(Bin(float(answers[rows].mean()), float(truth[rows].mean()), len(rows)) for rows in parts)
