"""A family taught again, to see what it owes to more rows or to some columns: nothing of it is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from pilotage.models.families import Candidate
from pilotage.models.families.candidate import Settings
from pilotage.models.flow.task import Task
from pilotage.models.flow.training import lesson_of
from pilotage.models.inputs import Encoder, Rows
from pilotage.models.rules.judging.judge import Answers


def retrained(
    task: Task, candidate: Candidate, settings: Settings, without: Collection[str] = ()
) -> tuple[Answers, int]:
    """What it answers on the held-out rows, taught and calibrated as always but without some columns.

    With it, how many rows taught: a family may draw fewer than there are.
    """
    encoder, rows = task.encoded(candidate.texts)
    positions = task.teaching(encoder, rows)
    if without:
        encoder, rows = _less(encoder, rows, without)
    trained = candidate.train(lesson_of(task, encoder, rows, positions, settings))
    judge, split = task.judge, task.split
    margins = trained.margins(rows.take(split.calibrate))
    calibration = judge.calibrated(margins)
    threshold = judge.threshold(calibration.outputs(margins))
    said = judge.answered(calibration.outputs(trained.margins(rows.take(split.held_out))), threshold)
    return said, trained.rows


def _less(encoder: Encoder, rows: Rows, without: Collection[str]) -> tuple[Encoder, Rows]:
    """The encoder and the encoded rows as if the columns had never been there."""
    kept = np.array([slot.column not in without for slot in encoder.slots], dtype=np.bool_)
    texts = [text.name not in without for text in encoder.texts]
    words = tuple(one for one, keeps in zip(rows.words, texts, strict=True) if keeps)
    vocabularies = tuple(one for one, keeps in zip(rows.vocabularies, texts, strict=True) if keeps)
    left = Encoder(tuple(one for one in encoder.inputs if one.name not in without))
    return left, replace(rows, slots=np.ascontiguousarray(rows.slots[:, kept]), words=words, vocabularies=vocabularies)
