"""Whether a model answers here as it did where it was trained: on examples, or on the rows of the held-out time.

Graphs count in 32-bit floats, so that their answers are not those of the estimator to the last bit. What is asked for
is that no decision changes and that no answer is further away than a tolerance that is named.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.brought.examples import Examples
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import OutcomeKind

TOLERANCE = 1e-4
"""Of a probability; of a number relatively to its size, where that is above 1."""
ROUNDING = 1e-5
"""How far sums of 32-bit floats take an answer that is the same."""


class Compared(Struct, frozen=True):
    """How many rows were compared, the largest difference, and how many answers fell on the other side."""

    rows: int
    difference_max: float
    flips: int


def compared(
    kind: OutcomeKind, expected: NDArray[np.float64], got: NDArray[np.float64], middle: float = 0.5
) -> tuple[Compared, int]:
    """The comparison of rows × outputs, and the number of the row that differs most, from 0.

    ``middle`` is where a flag turns positive: 0.5 of a probability, 0 of log-odds. A category turns with the most
    probable class, a number not at all. Votes of a forest that are even in 64 bits may be uneven by a rounding in 32:
    what differs by less than that has not changed sides.
    """
    size = np.maximum(1.0, np.abs(expected)) if kind == "number" else 1.0
    differences = (np.abs(expected - got) / size).max(axis=1)
    if kind == "flag":
        turned = (expected[:, 0] >= middle) != (got[:, 0] >= middle)
    else:
        turned = expected.argmax(axis=1) != got.argmax(axis=1)
    flips = int((turned & (differences > ROUNDING)).sum())
    return Compared(len(expected), float(differences.max()), flips), int(differences.argmax())


def refuse_differing(
    got: NDArray[np.float64], classes: tuple[str, ...], examples: Examples, wanted: Wanted, tolerance: float, who: str
) -> Compared:
    """The comparison with the examples, where every answer is the expected one.

    Raises:
        ModelRefused: an answer differs, or the examples name classes that the model does not have.
    """
    strange = sorted((set(examples.outputs) - {""} | set(examples.most_probable)) - set(classes)) if classes else []
    if strange:
        message = f"{who}: {examples.file} expects the class {strange[0]}; the model has {', '.join(classes)}."
        raise ModelRefused(message, "Correct `classes`, in the order of its training, or the examples.")
    if examples.most_probable:
        return _same_classes(got, classes, examples, who)
    order = [name for name in (classes or ("",)) if name in examples.outputs]
    expected = np.column_stack([examples.outputs[name] for name in order])
    asked = got[:, [classes.index(name) for name in order]] if classes else got
    found, worst = compared(wanted.kind, expected, asked)
    if found.difference_max > tolerance:
        raise ModelRefused(
            f"{who}: row {worst + 1} of {examples.file} expects {_shown(expected[worst])} and gets "
            f"{_shown(asked[worst])}; the tolerance is {tolerance:g}.",
            "Check the order of `inputs`, `codes` and `classes`, how missing values were filled in training, and that "
            "the examples come from this very model.",
        )
    return found


def _same_classes(got: NDArray[np.float64], classes: tuple[str, ...], examples: Examples, who: str) -> Compared:
    given = [classes[number] for number in got.argmax(axis=1)]
    wrong = [row for row, pair in enumerate(zip(examples.most_probable, given, strict=True)) if pair[0] != pair[1]]
    if wrong:
        row = wrong[0]
        raise ModelRefused(
            f"{who}: row {row + 1} of {examples.file} expects {examples.most_probable[row]} and gets {given[row]}.",
            "Check the order of `inputs`, `codes` and `classes`.",
        )
    return Compared(len(given), 0.0, 0)


def _shown(outputs: NDArray[np.float64]) -> str:
    return ", ".join(f"{one:.6g}" for one in outputs)
