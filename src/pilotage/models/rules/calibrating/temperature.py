"""From class scores to probabilities: a softmax at the temperature at which they mean what they say.

Source: Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks (ICML 2017). The order of classes stays.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
COLDEST, HOTTEST = 0.05, 20.0
PROBABILITY_MIN = 1e-12


class Temperature(Struct, frozen=True, tag="temperature"):
    """Margins are divided by ``temperature``: above 1 a model was too sure, below 1 not sure enough."""

    temperature: float

    def outputs(self, margins: Matrix) -> Matrix:
        """Probabilities of many rows: rows × classes."""
        cooled = np.ascontiguousarray(margins) / self.temperature
        powers = np.exp(cooled - cooled.max(axis=1, keepdims=True))
        found: Matrix = powers / powers.sum(axis=1, keepdims=True)
        return found

    def row(self) -> Callable[[list[float]], list[float]]:
        """The probabilities of one row, by the same operations as :meth:`outputs`."""

        def read(margins: list[float]) -> list[float]:
            return [float(value) for value in self.outputs(np.array([margins]))[0]]

        return read


def fitted(margins: Matrix, codes: NDArray[np.intp]) -> Temperature:
    """The temperature with the least log loss on rows that the model has not learnt from; codes below 0 say nothing."""
    from scipy.optimize import minimize_scalar  # here, because every command would wait for it

    known = codes >= 0
    margins, codes = margins[known], codes[known]

    def loss(logarithm: float) -> float:
        outputs = Temperature(float(np.exp(logarithm))).outputs(margins)
        return float(class_losses(outputs, codes).mean())

    if not len(codes):
        return Temperature(1.0)
    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return Temperature(float(np.exp(found.x)))


def class_losses(outputs: Matrix, codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Minus the logarithm of the probability given to what happened; nothing was given to a class never seen (-1)."""
    given = np.where(codes >= 0, outputs[np.arange(len(codes)), np.maximum(codes, 0)], 0.0)
    found: NDArray[np.float64] = -np.log(np.clip(given, PROBABILITY_MIN, 1.0))
    return found
