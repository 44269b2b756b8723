"""One candidate from encoded rows to a signed, proved and measured artefact."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pilotage.data.records import TrainingSet
from pilotage.models import artefacts
from pilotage.models.flow.loading import load_artefact
from pilotage.models.inputs import Encoder
from pilotage.models.records import Manifest, Measured, Parity
from pilotage.models.rules import calibration, evaluation, reliability
from pilotage.models.rules.evaluation import Figures, HeldOut, Worth
from pilotage.models.rules.reference import reference
from pilotage.models.rules.splitting import Split
from pilotage.models.scoring import Scorer
from pilotage.models.tasks.candidate import Candidate, Matrix, Trained
from pilotage.platform.code_version import code_version
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

SEED = 7
ROWS_SINGLE = 2_000
ROWS_NEAR_THRESHOLD = 200
DIFFERENCE_MAX = 1e-9


@dataclass(frozen=True)
class Task:
    """Everything that is the same for all candidates. ``held_out`` are the judging rows, ``rows`` them as dicts."""

    definition: Definition
    training_set: TrainingSet
    split: Split
    encoder: Encoder
    matrix: Matrix
    labels: NDArray[np.bool_]
    held_out: pa.Table
    time: HeldOut
    worth: Worth
    threshold: float
    uncertain: tuple[float, float]


@dataclass(frozen=True)
class Outcome:
    """What became of one candidate; ``measured`` is None where it was refused."""

    parity: Parity
    digest: str
    measured: Measured | None
    figures: Figures


def teach(work: Workspace, task: Task, candidate: Candidate) -> Outcome:
    """Train, calibrate, keep, read back, prove and measure."""
    rows, split = task.matrix, task.split
    teaching = split.train[task.encoder.teaching(rows[split.train])]
    began = time.perf_counter()
    trained = candidate.train(rows[teaching], task.labels[teaching], task.encoder.slots, SEED)
    seconds = time.perf_counter() - began
    table = calibration.fitted(
        trained.margins(rows[split.calibrate]), task.labels[split.calibrate], split.days[split.calibrate]
    )
    own = table.many(trained.margins(rows[split.held_out]))
    files = {
        "plan.json": msgspec.json.encode(task.definition.plan),
        "encoder.json": task.encoder.encoded(),
        candidate.file: trained.content,
        "calibration.json": msgspec.json.encode(table),
        "reference.json": msgspec.json.encode(reference(task.encoder, rows[split.train], own)),
    }
    digest = _kept(work, task, candidate, trained, files)
    scorer = load_artefact(work, digest, artefacts.sign(work, digest))
    probabilities = scorer.score_table(task.held_out)
    parity, latency_us = _prove(task, candidate, scorer, own, probabilities)
    figures = evaluation.measured(task.time, probabilities, task.threshold, task.uncertain, task.worth)
    title = candidate.title
    if trained.rows < len(teaching):
        title += f", on {trained.rows:,} of {len(teaching):,} rows"
    measured = Measured(
        candidate=candidate.name,
        title=title,
        auc=figures.auc,
        precision=figures.precision,
        recall=figures.recall,
        log_loss=figures.log_loss,
        calibration_error=figures.calibration_error,
        money=figures.money,
        threshold=task.threshold,
        alerts_share=figures.alerts_share,
        review_share=figures.review_share,
        latency_us=latency_us,
        size_bytes=sum(map(len, files.values())),
        train_seconds=seconds,
        calibration=figures.calibration,
        reliability=reliability.measured(task.time, probabilities, np.random.default_rng(SEED)),
    )
    return Outcome(parity, digest, measured if parity.passed else None, figures)


def _kept(work: Workspace, task: Task, candidate: Candidate, trained: Trained, files: dict[str, bytes]) -> str:
    """The artefact in the lake: the digest of its manifest."""
    manifest = Manifest(
        format=artefacts.FORMAT,
        use_case=task.definition.name,
        candidate=candidate.name,
        definition=task.definition.fingerprint,
        training_set=task.training_set.id,
        training_set_fingerprint=task.training_set.fingerprint,
        code=code_version(),
        libraries={name: version(name) for name in candidate.libraries},
        parameters=trained.parameters,
        threshold=task.threshold,
        uncertain_low=task.uncertain[0],
        uncertain_high=task.uncertain[1],
        files=artefacts.keep_files(work, files),
        made_at=work.clock.now(),
    )
    return artefacts.keep_manifest(work, manifest)


def _prove(
    task: Task, candidate: Candidate, scorer: Scorer, own: NDArray[np.float64], batch: NDArray[np.float64]
) -> tuple[Parity, float]:
    """Hold the read-back artefact against the trained estimator, and one row at a time against many at once.

    The single rows are spread evenly over the held-out time, with those next to the threshold added. Returned with
    it: the median time of one row, in microseconds.
    """
    spread = np.linspace(0, len(own) - 1, min(len(own), ROWS_SINGLE)).astype(np.intp)
    near = np.argsort(np.abs(own - task.threshold), kind="stable")[:ROWS_NEAR_THRESHOLD]
    chosen = np.unique(np.concatenate([spread, near]))
    rows = task.held_out.take(pa.array(chosen)).to_pylist()
    single, taken_ns = np.empty(len(rows)), np.empty(len(rows))
    for number, values in enumerate(rows):
        began = time.perf_counter_ns()
        single[number] = scorer.score(values)
        taken_ns[number] = time.perf_counter_ns() - began
    difference = max(float(np.abs(batch - own).max()), float(np.abs(single - own[chosen]).max()))
    at = task.threshold
    flips = int(((batch >= at) != (own >= at)).sum() + ((single >= at) != (own[chosen] >= at)).sum())
    passed = flips == 0 and difference <= DIFFERENCE_MAX  # a NaN is not at or below anything
    return (
        Parity(candidate.name, len(own), len(rows), difference, flips, passed),
        float(np.median(taken_ns)) / 1000,
    )
