"""What answers come to on the same resampled days: money, loss and the main measure, so that they can be subtracted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pilotage.models.records import Estimate
from pilotage.models.rules.evaluation import Vector, estimate, mean_draws
from pilotage.models.rules.judging.judge import Answers, Judge


@dataclass(frozen=True)
class Drawn:
    """Of each the figure itself, then one per resample. Money per 1,000 decisions."""

    money: Vector
    loss: Vector
    measure: Vector

    def minus(self, other: Drawn) -> Drawn:
        """What this has more than another one, draw by draw."""
        return Drawn(self.money - other.money, self.loss - other.loss, self.measure - other.measure)

    def over(self, by: float) -> Drawn:
        """All of it divided."""
        return Drawn(self.money / by, self.loss / by, self.measure / by)

    @property
    def estimates(self) -> tuple[Estimate, Estimate, Estimate]:
        """Money, loss and main measure with their intervals."""
        return estimate(self.money), estimate(self.loss), estimate(self.measure)


def drawn(judge: Judge, said: Answers) -> Drawn:
    """Of the answers to all held-out decisions."""
    every = np.arange(len(judge.time.labels))
    return Drawn(
        1000 * mean_draws(judge.time, judge.earned(said)),
        mean_draws(judge.time, judge.losses(said)),
        judge.main_draws(judge.time, said, every),
    )


def mean_of(several: list[Drawn]) -> Drawn:
    """Their mean, draw by draw."""
    return Drawn(
        np.mean([one.money for one in several], axis=0),
        np.mean([one.loss for one in several], axis=0),
        np.mean([one.measure for one in several], axis=0),
    )
