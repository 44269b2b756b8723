"""Candidates that the file brings: estimators of one's own, and models that were trained elsewhere.

They are calibrated, kept, proved and measured like those that are learnt here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pilotage.models.brought import margins, taking
from pilotage.models.brought.own import fitting
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.wanted import wanted_by
from pilotage.models.families.candidate import Matrix
from pilotage.models.flow.task import SEED, Task
from pilotage.models.flow.training import Learnt, Outcome, finish
from pilotage.models.raw import RawScorer
from pilotage.models.records import CandidateName
from pilotage.models.rules import agreement, teaching
from pilotage.models.rules.calibrating import Calibration
from pilotage.models.scoring import BROUGHT, OWN
from pilotage.platform.errors import PilotageError
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Brought, Own


def bring(work: Workspace, task: Task) -> Iterator[tuple[CandidateName, str, Outcome | str]]:
    """Each candidate of the file: its name, its title, and what became of it; a text says why it was refused."""
    candidates = task.definition.use_case.candidates
    project = _project(work, task)
    for name, own in candidates.own.items():
        yield name, own.title or name, _tried(work, task, name, own, project)
    for name, brought in candidates.brought.items():
        yield name, brought.title or name, _tried(work, task, name, brought, project)


def _tried(work: Workspace, task: Task, name: str, given: Own | Brought, project: Path) -> Outcome | str:
    try:
        if isinstance(given, Own):
            return finish(work, task, _own(task, name, given, project))
        return finish(work, task, _brought(work, task, name, given, project))
    except ModelRefused as error:
        return f"{error.message} {error.repair}".strip()
    except (PilotageError, ValueError) as error:  # an endpoint that does not answer, a row that it cannot be given
        return str(error)
    except ArithmeticError as error:
        return f"What it answers cannot be judged: {error}. Look at its answers to the rows of the calibration part."


def _project(work: Workspace, task: Task) -> Path:
    """The folder of the use-case file, where paths in it begin."""
    file = usecase.file_of(work, task.definition.name)
    return Path() if file is None else file.parent


def _own(task: Task, name: str, own: Own, project: Path) -> Learnt:
    """Fit an estimator in a child process, on what all candidates learn from."""
    encoder, rows = task.encoded("topics")
    positions, split = task.teaching(encoder, rows), task.split
    labels = task.labels[positions]
    weights = teaching.weights(task.definition.use_case.candidates.weights, labels, task.kind, task.classes)
    asked = np.concatenate([split.calibrate, split.held_out])
    lesson = fitting.Lesson(task.kind, rows.slots[positions], labels, rows.slots[asked], task.classes, weights)
    fitted = fitting.fit_own(name, own, lesson, project, SEED)
    said = margins.margins(fitted.own, task.kind, fitted.answered.scale)
    calibrating, judging = said[: len(split.calibrate)], said[len(split.calibrate) :]
    calibration = task.judge.calibrated(calibrating)
    return Learnt(
        name=name,
        family=OWN,
        title=own.title or name,
        files={"encoder.json": encoder.encoded(), **taking.own_files(fitted)},
        libraries=fitted.libraries,
        parameters=fitted.parameters,
        encoder=encoder,
        encoded=rows.slots,
        calibration=calibration,
        threshold=task.judge.threshold(calibration.outputs(calibrating)),
        own=calibration.outputs(judging),
        seconds=fitted.seconds,
        bytes=None,
        rows=len(positions),
        difference_max=agreement.DIFFERENCE_OF_GRAPHS_MAX,
    )


def _brought(work: Workspace, task: Task, name: str, given: Brought, project: Path) -> Learnt:
    """Take a model once it answers its examples, and calibrate it on the calibration part."""
    began = time.perf_counter()
    hosts = work.settings.private_hosts
    taken = taking.take(name, given, wanted_by(task.definition, task.classes), project, hosts)
    raw: RawScorer = margins.Margins(taking.revive(taken.files, name, hosts), task.kind, task.classes)
    calibration, threshold = _calibrated(task, raw)
    encoder, rows = task.encoded("words")
    own: Matrix = calibration.outputs(raw.table(task.held_out))
    return Learnt(
        name=name,
        family=BROUGHT,
        title=given.title or name,
        files=taken.files,
        libraries={},
        parameters=taken.parameters,
        encoder=encoder,
        encoded=rows.slots,
        calibration=calibration,
        threshold=threshold,
        own=own,
        seconds=time.perf_counter() - began,
        bytes=None,
        rows=0,
        difference_max=agreement.DIFFERENCE_OF_GRAPHS_MAX,
    )


def _calibrated(task: Task, raw: RawScorer) -> tuple[Calibration, float | None]:
    calibrating = raw.table(task.part(task.split.calibrate))
    calibration = task.judge.calibrated(calibrating)
    return calibration, task.judge.threshold(calibration.outputs(calibrating))
