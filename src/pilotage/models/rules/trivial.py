"""The answers that need no model: always, never, and the base rate for everybody. A model must be better."""

from __future__ import annotations

import numpy as np

from pilotage.models.records import Trivial
from pilotage.models.rules.calibration import log_losses
from pilotage.models.rules.evaluation import HeldOut, Vector, Worth, estimate, mean_draws, resampled


def measured(time: HeldOut, rate: float, threshold: float, worth: Worth) -> tuple[Trivial, Vector]:
    """Always, never, and the ``rate`` of the training part as everybody's probability, on the held-out time.

    Returned with it: the money per 1,000 decisions of the better answer, itself first and then per resample, paired
    with the ``money_draws`` of candidates. Nobody reviews.
    """
    every = np.ones_like(time.labels)
    always = 1000 * mean_draws(time, worth.per_row(every, time.labels))
    never = 1000 * mean_draws(time, worth.per_row(~every, time.labels))
    trivial = Trivial(
        rate=rate,
        at_threshold="always" if rate >= threshold else "never",
        always=estimate(always),
        never=estimate(never),
        log_loss=resampled(time, log_losses(np.full(len(time.labels), rate), time.labels)),
    )
    return trivial, always if trivial.best == "always" else never
