"""One candidate from encoded rows to a signed, proved and measured artefact."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pilotage.data.contracts.personal import personal_columns
from pilotage.data.flow import contracting
from pilotage.models import artefacts, golden
from pilotage.models.brought.taking import REMOTE as ENDPOINT
from pilotage.models.families import Candidate
from pilotage.models.families.candidate import Lesson, Matrix, Settings
from pilotage.models.flow.loading import load_artefact
from pilotage.models.flow.memory import Peak
from pilotage.models.flow.task import SEED, Task
from pilotage.models.inputs import Encoder, Rows
from pilotage.models.records import CandidateName, Manifest, Measured, Parity
from pilotage.models.rules import agreement, teaching
from pilotage.models.rules.calibrating import Calibration
from pilotage.models.rules.judging.judge import Answers, Judged
from pilotage.models.rules.reference import reference
from pilotage.models.rules.thresholds import uncertain_band
from pilotage.models.scoring import Scorer
from pilotage.platform.code_version import code_version
from pilotage.platform.workspace import Workspace

ROWS_SINGLE = 2_000
ROWS_NEAR = 200


@dataclass(frozen=True)
class Learnt:
    """What one candidate learnt of the training part, or brought, with its own calibrated answers on held-out rows.

    ``files`` are those that it is read from; so many ``rows`` taught it. It may differ, read back, by
    ``difference_max`` from what it was.
    """

    name: CandidateName
    family: str
    title: str
    files: dict[str, bytes]
    libraries: dict[str, str]
    parameters: dict[str, str]
    encoder: Encoder
    encoded: Matrix
    calibration: Calibration
    threshold: float | None
    own: Matrix
    seconds: float
    bytes: int | None
    rows: int
    difference_max: float = agreement.DIFFERENCE_MAX


@dataclass(frozen=True)
class Outcome:
    """What became of one candidate; ``measured`` is None where it was refused, and ``refused`` says why.

    ``rows`` taught it.
    """

    parity: Parity
    digest: str
    measured: Measured | None
    judged: Judged
    refused: str = ""
    rows: int = 0


def teach(work: Workspace, task: Task, candidate: Candidate, settings: Settings | None = None) -> Outcome:
    """Train, calibrate, keep, read back, prove and measure."""
    return finish(work, task, learn(task, candidate, settings or {}))


def finish(work: Workspace, task: Task, learnt: Learnt) -> Outcome:
    """Keep, read back, prove and measure."""
    files = _files(task, learnt)
    digest = _kept(work, task, learnt, files)
    scorer = load_artefact(work, digest, artefacts.sign(work, digest))
    outputs = scorer.calibrated(task.held_out)
    said = task.judge.answered(outputs, learnt.threshold)
    parity, latency_us = prove(task, learnt, scorer, said)
    judged = task.judge.judged(said, True, np.random.default_rng(SEED))
    size = sum(map(len, files.values()))
    measured = measured_of(task, learnt.name, learnt.title, judged, latency_us, size, learnt.seconds)
    measured = msgspec.structs.replace(measured, train_bytes=learnt.bytes)
    refused = "" if parity.passed else agreement.told(parity)
    return Outcome(parity, digest, measured if parity.passed else None, judged, refused, learnt.rows)


def learn(task: Task, candidate: Candidate, settings: Settings) -> Learnt:
    """Train on the training part, calibrate on the part after it."""
    encoder, rows = task.encoded(candidate.texts)
    positions = task.teaching(encoder, rows)
    peak, began = Peak(), time.perf_counter()
    trained = candidate.train(lesson_of(task, encoder, rows, positions, settings))
    seconds, taken = time.perf_counter() - began, peak.bytes()
    calibrating = trained.margins(rows.take(task.split.calibrate))
    calibration = task.judge.calibrated(calibrating)
    title = candidate.titles[task.kind]
    if trained.rows < len(positions):
        title += f", on {trained.rows:,} of {len(positions):,} rows"
    return Learnt(
        name=candidate.name,
        family=candidate.name,
        title=title,
        files={"encoder.json": encoder.encoded(), **trained.files},
        libraries={name: version(name) for name in (*candidate.libraries, *encoder.libraries)},
        parameters=trained.parameters,
        encoder=encoder,
        encoded=rows.slots,
        calibration=calibration,
        threshold=task.judge.threshold(calibration.outputs(calibrating)),
        own=calibration.outputs(trained.margins(rows.take(task.split.held_out))),
        seconds=seconds,
        bytes=taken,
        rows=trained.rows,
    )


def lesson_of(task: Task, encoder: Encoder, rows: Rows, positions: NDArray[np.intp], settings: Settings) -> Lesson:
    """What there is to learn from some rows."""
    candidates, labels = task.definition.use_case.candidates, task.labels[positions]
    return Lesson(
        rows=rows.take(positions),
        labels=labels.astype(np.float64),
        slots=encoder.slots,
        kind=task.kind,
        outputs=task.outputs,
        seed=SEED,
        weights=teaching.weights(candidates.weights, labels, task.kind, task.classes),
        monotone=teaching.directions(candidates.monotone, encoder.slots),
        settings=settings,
    )


def measured_of(
    task: Task, name: str, title: str, judged: Judged, latency_us: float, size_bytes: int, train_seconds: float
) -> Measured:
    """The record of what was measured."""
    return Measured(
        candidate=name,
        title=title,
        measures=judged.measures,
        loss=task.judge.loss,
        money=judged.money,
        threshold=judged.said.threshold,
        alerts_share=judged.alerts_share,
        review_share=float(judged.said.review.mean()),
        latency_us=latency_us,
        size_bytes=size_bytes,
        train_seconds=train_seconds,
        calibration=judged.curve,
        reliability=judged.reliability,
    )


def _files(task: Task, learnt: Learnt) -> dict[str, bytes]:
    usual = reference(learnt.encoder, learnt.encoded[task.split.train], learnt.own, task.kind)
    return {
        "plan.json": msgspec.json.encode(task.definition.plan),
        "calibration.json": msgspec.json.encode(learnt.calibration),
        "reference.json": msgspec.json.encode(usual),
        **learnt.files,
    }


def _kept(work: Workspace, task: Task, learnt: Learnt, files: dict[str, bytes]) -> str:
    """The artefact in the lake, with its golden vectors: the digest of its manifest."""
    manifest = _manifest(work, task, learnt)
    vectors = _golden(work, task, learnt, Scorer(manifest, files, work.settings.private_hosts))
    entries = artefacts.keep_files(work, {**files, **vectors})
    return artefacts.keep_manifest(work, msgspec.structs.replace(manifest, files=entries))


def _golden(work: Workspace, task: Task, learnt: Learnt, scorer: Scorer) -> dict[str, bytes]:
    """None of a model that answers at an endpoint: what computes there is not the environment of who loads it."""
    if ENDPOINT in learnt.files:
        return {}
    near = agreement.doubtful(task.kind, learnt.own, learnt.threshold)
    rows = task.held_out.take(pa.array(golden.chosen(learnt.own, near)))
    personal = personal_columns(task.definition, contracting.current(work, task.definition.name))
    return {golden.GOLDEN: golden.made(scorer, rows, personal)}


def _manifest(work: Workspace, task: Task, learnt: Learnt) -> Manifest:
    """What the artefact is and where it came from, before its files are in the lake."""
    policy = task.definition.use_case.policy
    at = learnt.threshold
    low, high = (0.0, 0.0) if at is None or task.kind != "flag" else uncertain_band(policy, at)
    return Manifest(
        format=artefacts.FORMAT,
        use_case=task.definition.name,
        candidate=learnt.name,
        family=learnt.family,
        kind=task.kind,
        definition=task.definition.fingerprint,
        training_set=task.training_set.id,
        training_set_fingerprint=task.training_set.fingerprint,
        code=code_version(),
        libraries=learnt.libraries,
        parameters=learnt.parameters,
        threshold=at,
        uncertain_low=low,
        uncertain_high=high,
        files={},
        made_at=work.clock.now(),
        classes=task.classes,
        confidence=policy.confidence,
        width=policy.width,
    )


def prove(task: Task, learnt: Learnt, scorer: Scorer, batch: Answers) -> tuple[Parity, float]:
    """Hold the read-back artefact against the trained estimator, and one row at a time against many at once.

    The single rows are spread evenly over the held-out part, with the most doubtful ones added. Returned with it: the
    median time of one row, in microseconds.
    """
    own = learnt.own
    spread = np.linspace(0, len(own) - 1, min(len(own), ROWS_SINGLE)).astype(np.intp)
    near = agreement.doubtful(task.kind, own, learnt.threshold)[:ROWS_NEAR]
    chosen = np.unique(np.concatenate([spread, near]))
    rows = task.held_out.take(pa.array(chosen)).to_pylist()
    single, taken_ns = np.empty((len(rows), own.shape[1])), np.empty(len(rows))
    for number, values in enumerate(rows):
        began = time.perf_counter_ns()
        single[number] = scorer.row(values)
        taken_ns[number] = time.perf_counter_ns() - began
    mine = task.judge.answered(own, learnt.threshold).answers
    alone = task.judge.answered(single, learnt.threshold).answers
    parity = agreement.parity(
        learnt.name,
        task.kind,
        (own, batch.outputs, mine, batch.answers),
        (own[chosen], single, mine[chosen], alone),
        learnt.difference_max,
    )
    return parity, float(np.median(taken_ns)) / 1000
