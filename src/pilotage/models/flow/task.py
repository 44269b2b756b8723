"""Everything that is the same for all candidates of one comparison: rows, parts, labels, encoders, the judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pilotage.data.records import TrainingSet
from pilotage.models.inputs import Encoder, Rows, Words
from pilotage.models.rules import evaluation
from pilotage.models.rules.judging.category import UNKNOWN, CategoryJudge
from pilotage.models.rules.judging.flag import FlagJudge
from pilotage.models.rules.judging.judge import Judge, Labels, Learnt
from pilotage.models.rules.judging.number import NumberJudge
from pilotage.models.rules.judging.worth import Worth
from pilotage.models.rules.splitting import Split, is_newest, set_apart, split
from pilotage.platform.errors import EvidenceMissing
from pilotage.usecase.records import Constraint, Definition, OutcomeKind, seconds

SEED = 7
CLASS_ROWS_MIN = 5
"""A class with fewer rows in the training part is not learnt: it cannot be answered."""


@dataclass(frozen=True)
class Task:
    """What is to be learnt and judged. ``rows`` are those with an outcome, in order; ``labels`` theirs.

    Labels are true and false, codes of ``classes`` (-1: a class too rare to be learnt), or numbers. ``share`` is that
    of :class:`Learnt`: the judges of the task's parts count cases a day by it, too.
    """

    definition: Definition
    training_set: TrainingSet
    rows: pa.Table
    labels: Labels
    classes: tuple[str, ...]
    split: Split
    judge: Judge
    share: float = 1.0
    _encoded: dict[Words, tuple[Encoder, Rows]] = field(default_factory=dict)

    @property
    def kind(self) -> OutcomeKind:
        return self.definition.use_case.kind

    @property
    def outputs(self) -> int:
        """How many margins a model has."""
        return max(1, len(self.classes))

    @property
    def held_out(self) -> pa.Table:
        """The columns of the judging rows."""
        return self.part(self.split.held_out)

    def part(self, positions: NDArray[np.intp]) -> pa.Table:
        """The columns of some rows."""
        return self.rows.take(pa.array(positions)).select(list(self.definition.plan.names))

    def encoded(self, texts: Words) -> tuple[Encoder, Rows]:
        """The encoder that was fitted on the training part, and all rows as it sees them."""
        wanted: Words = texts if self._has_texts else "words"
        if wanted not in self._encoded:
            plan = self.definition.plan
            train = self.rows.take(pa.array(self.split.train))
            encoder = Encoder.fitted(plan.columns, train, wanted, SEED, self._embeds)
            self._encoded[wanted] = (encoder, encoder.table(self.rows))
        return self._encoded[wanted]

    @property
    def _embeds(self) -> bool:
        """Whether texts are read by the sentence model, too."""
        return self.definition.use_case.candidates.texts == "embedding"

    @property
    def _has_texts(self) -> bool:
        return any(column.kind == "text" for column in self.definition.plan.columns)

    def teaching(self, encoder: Encoder, rows: Rows) -> NDArray[np.intp]:
        """Positions of the rows to learn from: those of the training part whose levels and classes are not too rare."""
        train = self.split.train
        kept: NDArray[np.intp] = train[encoder.teaching(rows.slots[train])]
        if self.kind != "category":
            return kept
        known = self.labels != UNKNOWN
        kept = kept[known[kept]]
        return kept if len(np.unique(self.labels[kept])) == len(self.classes) else train[known[train]]

    def answers(self, column: str) -> Labels:
        """What rule or people said of every row, in the terms of the labels; nothing counts as no, -1 or NaN."""
        return coded(self.rows[column], self.kind, self.classes)


def task_of(definition: Definition, training_set: TrainingSet, rows: pa.Table) -> Task:
    """Part the rows of a training set, sorted by moment; rows without an outcome are left out.

    Raises:
        EvidenceMissing: too little to learn or to judge.
    """
    rows_in, moments = rows.num_rows, rows["moment"]
    rows = rows.filter(rows["label"].is_valid())
    if not rows.num_rows:
        raise EvidenceMissing(
            f"None of the {rows_in:,} decisions in the training set of {definition.name} has an outcome: no row of "
            f"{definition.use_case.outcome.source} goes with them, or what `outcome.{definition.use_case.outcome.key}` "
            "reads is empty there.",
            "Sync the outcome's source and build again: pilotage sync, pilotage build. pilotage audit says what is "
            "empty.",
        )
    kind = definition.use_case.kind
    raw = rows["label"].to_numpy()
    parts = _parts(definition, rows, raw)
    classes = classes_of(raw[parts.train]) if kind == "category" else ()
    if kind == "category" and len(classes) < 2:
        raise EvidenceMissing(
            f"Training needs at least two categories with {CLASS_ROWS_MIN} rows each in its training part; "
            f"there is {'only ' + classes[0] if classes else 'none'}.",
            "Sync more history, or look at the outcome's expression: pilotage audit.",
        )
    labels = coded(rows["label"], kind, classes)
    share = _calibrating_share(definition, moments, parts)
    judge = judge_of(definition, labels, classes, parts, share)
    return Task(definition, training_set, rows, labels, classes, parts, judge, share)


def _calibrating_share(definition: Definition, moments: pa.ChunkedArray, parts: Split) -> float:
    """Of all decisions of the calibration part's days the share that it has; the others have no outcome, say.

    Raises:
        EvidenceMissing: cases a day are to be counted, and the parts do not follow each other in time.
    """
    asked = definition.use_case.policy.threshold
    if not parts.clocked:
        if isinstance(asked, Constraint) and asked.a_day is not None:
            raise EvidenceMissing(
                f"policy.threshold allows {asked.a_day} cases a day, and the decisions of {definition.name} are not "
                "parted by time: how many lie on a day cannot be counted.",
                "Give a probability or a precision, or let decision.judged name the newest decisions of data with a "
                "clock.",
            )
        return 1.0
    days = moments.cast(pa.timestamp("us")).to_numpy().astype("datetime64[D]").astype(np.int64)
    calibrating = parts.days[parts.calibrate]
    there = int(((days >= calibrating.min()) & (days <= calibrating.max())).sum())
    return len(calibrating) / there


def judge_of(definition: Definition, labels: Labels, classes: tuple[str, ...], parts: Split, share: float) -> Judge:
    """The judge of the outcome's kind. ``share`` is that of :class:`Learnt`."""
    use_case = definition.use_case
    judged, calibrate = parts.held_out, parts.calibrate
    time = evaluation.held_out(labels[judged], parts.days[judged], np.random.default_rng(SEED))
    learnt = Learnt(labels[parts.train], labels[calibrate], parts.days[calibrate], share)
    worth = Worth.of(use_case.brief.value, use_case.review.minutes_per_case)
    if use_case.kind == "flag":
        return FlagJudge(time, learnt, use_case.policy, worth)
    if use_case.kind == "category":
        return CategoryJudge(time, learnt, use_case.policy, worth, classes)
    return NumberJudge(time, learnt, use_case.policy, worth)


def _parts(definition: Definition, rows: pa.Table, labels: NDArray[Any]) -> Split:
    use_case = definition.use_case
    moments = rows["moment"].cast(pa.timestamp("us")).to_numpy()
    entities = rows["entity"].combine_chunks().dictionary_encode().indices.to_numpy()
    known = np.array(labels, dtype=np.bool_) if use_case.kind == "flag" else labels
    if use_case.decision.judged:
        judged = np.array(rows["judged"].fill_null(False).to_numpy(), dtype=np.bool_)
        if is_newest(judged, moments):
            matures = timedelta(seconds=seconds(use_case.outcome.matures))
            return split(moments, known, matures, entities, use_case.kind, judged)
        return set_apart(judged, moments, known, entities, use_case.kind, np.random.default_rng(SEED))
    _demand_clock(definition, moments)
    return split(moments, known, timedelta(seconds=seconds(use_case.outcome.matures)), entities, use_case.kind)


def _demand_clock(definition: Definition, moments: NDArray[np.datetime64]) -> None:
    """Without a clock there is no time that the candidates have not seen: nothing to judge them on."""
    name = definition.use_case.decision.source
    if moments[0] == moments[-1] and name and definition.use_case.sources[name].is_static:
        raise EvidenceMissing(
            f"All decisions of {definition.name} lie in one instant: its source {name} is static, it has no clock. "
            "Candidates are judged on later decisions than they learnt from, and there are none.",
            f"Give {name} an event_time and a known_at, if a column of it says when a row happened; or say in "
            "decision.judged which of its rows judge, such as split = 'test'.",
        )


def classes_of(labels: NDArray[Any]) -> tuple[str, ...]:
    """The classes that occur often enough, in alphabetical order."""
    found, counts = np.unique(labels.astype(str), return_counts=True)
    return tuple(str(one) for one in found[counts >= CLASS_ROWS_MIN])


def coded(column: pa.ChunkedArray, kind: OutcomeKind, classes: tuple[str, ...]) -> Labels:
    """A column of outcomes or answers as true and false, codes of classes, or numbers."""
    import pyarrow.compute as pc

    if kind == "flag":
        return np.array(column.fill_null(False).to_numpy(), dtype=np.bool_)
    if kind == "number":
        return np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    place = pc.index_in(column.cast(pa.string()), value_set=pa.array(classes, pa.string()), skip_nulls=True)
    return np.array(pc.fill_null(place, UNKNOWN).to_numpy(), dtype=np.intp)
