"""A graph's outputs as answers: rows × outputs, in the order of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.brought.graph.described import Answered

_ROUNDING = 1e-5
"""How far sums of 32-bit floats take a probability beyond 0 or 1."""


def answers(answered: Answered, output: Any) -> NDArray[np.float64]:
    """The output as rows × outputs.

    Raises:
        ValueError: an answer is missing, infinite, or no probability where one is wanted.
    """
    found = _of_maps(answered, output) if answered.is_maps else _of_tensor(answered, np.asarray(output))
    if not np.isfinite(found).all():
        raise ValueError("the model answers with no finite number")
    if answered.kind == "number" or answered.scale == "log_odds":
        return found
    if (found < -_ROUNDING).any() or (found > 1 + _ROUNDING).any():
        raise ValueError(f"the model answers {found.max():g} or {found.min():g} where a probability is wanted")
    return np.clip(found, 0.0, 1.0)


def completed(answered: Answered, output: Any) -> Answered:
    """With the keys of an output of maps, which are only known from an answer: sorted, the second of two is positive.

    Raises:
        ValueError: there are not two, the positive one is not among them, or ``classes`` names others.
    """
    if not answered.is_maps:
        return answered
    keys = sorted(output[0])
    names = [str(key) for key in keys]
    if answered.kind == "flag":
        pick = answered.picks[0] if answered.picks else names[-1] if len(names) == 2 else ""
        if pick not in names:
            raise ValueError(f"its classes are {', '.join(names)}: say which one means positive (positive: its_name)")
        return msgspec.structs.replace(answered, picks=(pick,), classes=())
    classes = answered.classes or tuple(names)
    if len(classes) != len(names):
        raise ValueError(f"its classes are {', '.join(names)}, and `classes` has {len(classes)}: list all of them")
    order = classes if set(classes) == set(names) else names
    return msgspec.structs.replace(answered, picks=tuple(order), classes=classes)


def _of_maps(answered: Answered, output: Sequence[dict[Any, float]]) -> NDArray[np.float64]:
    texts = [{str(key): value for key, value in row.items()} for row in output]
    return np.array([[row[pick] for pick in answered.picks] for row in texts], dtype=np.float64)


def _of_tensor(answered: Answered, output: NDArray[Any]) -> NDArray[np.float64]:
    rows = output.reshape(len(output), -1).astype(np.float64)
    if answered.kind == "category":
        if rows.shape[1] != len(answered.classes):
            raise ValueError(f"the model answers {rows.shape[1]} probabilities for {len(answered.classes)} classes")
        return rows
    if answered.kind == "number":
        if rows.shape[1] != 1:
            raise ValueError(f"the model answers {rows.shape[1]} numbers for a row")
        return rows
    pick = int(answered.picks[0]) if rows.shape[1] > 1 else 0
    if pick >= rows.shape[1]:
        raise ValueError(f"the model answers {rows.shape[1]} values for a row, too few for its classes")
    return rows[:, [pick]]
