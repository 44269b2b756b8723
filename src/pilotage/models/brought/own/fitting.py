"""A candidate of one's own is fitted in a child process; what comes back is a graph of ONNX and numbers.

The function is the user's own code and runs with the rights of this process, but with an environment of its own: no
secret is handed on. It sees the encoded matrix rounded to 32-bit floats, as the graph will, so that a threshold of a
tree means the same in both.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.brought.child import Limits, read_left, run, work_folder
from pilotage.models.brought.graph.described import Answered
from pilotage.models.brought.graph.scorer import MatrixScorer
from pilotage.models.brought.graph.taking import read_numbers, refuse_without_runtime
from pilotage.models.brought.parity import TOLERANCE, Compared, compared
from pilotage.models.brought.refused import ModelRefused, missing_extra
from pilotage.usecase.records import OutcomeKind, Own, seconds

_PROBABILITIES, _VALUE = "probabilities", "variable"


class Lesson(Struct, frozen=True):
    """What is learnt from: encoded rows × slots, their labels, and encoded rows on which the graph is compared.

    Labels of a flag are 0 and 1, of a category positions in ``classes``, of a number its values.
    """

    kind: OutcomeKind
    matrix: NDArray[np.float64]
    labels: NDArray[np.float64] | NDArray[np.bool_] | NDArray[np.int64]
    asked: NDArray[np.float64]
    classes: tuple[str, ...] = ()
    weights: NDArray[np.float64] | None = None


class FittedOwn(Struct, frozen=True):
    """A graph that answers as the estimator did. ``own`` are the estimator's own answers to the asked rows."""

    content: bytes
    answered: Answered
    own: NDArray[np.float64]
    compared: Compared
    parameters: dict[str, str]
    libraries: dict[str, str]
    seconds: float


def fit_own(name: str, own: Own, lesson: Lesson, project: Path, seed: int) -> FittedOwn:
    """The candidate, fitted. ``project`` is the folder of the use-case file, where its path begins.

    Raises:
        ModelRefused: it raises, is not done in time, cannot be converted, or its graph answers something else.
    """
    who = f"Candidate {own.title or name}"
    _refuse_without_converter(who)
    began = time.monotonic()
    with work_folder() as folder:
        _put(folder, lesson)
        task = {
            "estimator": own.estimator,
            "project": str(project.resolve()),
            "kind": lesson.kind,
            "classes": len(lesson.classes) or 2,
            "seed": seed,
        }
        said = run("fit_own", folder, task, Limits(float(seconds(own.timeout)), memory_bytes=0), who)
        content, answers = read_left(folder, "model.onnx", who), read_numbers(folder, "own.npy", who)
    answered = Answered(
        _VALUE if lesson.kind == "number" else _PROBABILITIES,
        False,
        ("1",) if lesson.kind == "flag" else (),
        lesson.classes if lesson.kind == "category" else (),
        kind=lesson.kind,
    )
    found = _same(content, answered, answers, lesson, who)
    source = {"source_sha256": said["source"]} if said["source"] else {}
    parameters = {"function": own.estimator, **source, **said["parameters"]}
    return FittedOwn(content, answered, answers, found, parameters, said["libraries"], time.monotonic() - began)


def _put(folder: Path, lesson: Lesson) -> None:
    labels = lesson.labels.astype(np.float64 if lesson.kind == "number" else np.int64)
    np.save(folder / "teach.npy", _rounded(lesson.matrix))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "asked.npy", _rounded(lesson.asked))
    if lesson.weights is not None:
        np.save(folder / "weights.npy", lesson.weights)


def _rounded(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix.astype(np.float32).astype(np.float64)


def _same(content: bytes, answered: Answered, own: NDArray[np.float64], lesson: Lesson, who: str) -> Compared:
    try:
        got = MatrixScorer(content, answered).matrix(lesson.asked)
    except ValueError as error:
        raise ModelRefused(f"{who}: {error}.", "Use another estimator.") from None
    if got.shape != own.shape:
        raise ModelRefused(f"{who}: its graph answers {got.shape[1]} values for a row, the estimator {own.shape[1]}.")
    found, _ = compared(lesson.kind, own, got)
    if found.flips or not found.difference_max <= TOLERANCE:  # a NaN is not
        raise ModelRefused(
            f"{who}: converted to ONNX it answers differently: by {found.difference_max:.2g} at most, {found.flips} of "
            f"{found.rows:,} decisions on the other side.",
            f"At most {TOLERANCE:g} and none are allowed. Known for CalibratedClassifierCV around LightGBM: leave "
            "calibration out, it is done here.",
        )
    return found


def _refuse_without_converter(who: str) -> None:
    from importlib.util import find_spec

    refuse_without_runtime(who)
    if find_spec("skl2onnx") is None:
        raise missing_extra(who, "skl2onnx", "convert")
