"""Better settings for each family, looked for within a budget: on folds of the training part and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from pilotage.models.families import Candidate
from pilotage.models.families.candidate import Lesson, Settings, Vector
from pilotage.models.flow.part import part_of
from pilotage.models.flow.task import SEED, Task
from pilotage.models.flow.training import lesson_of
from pilotage.models.records import CandidateName, Search, Trial
from pilotage.models.rules import folds
from pilotage.models.rules.enough import POSITIVES_PART_MIN, ROWS_PART_MIN
from pilotage.models.rules.judging.category import UNKNOWN
from pilotage.usecase.records import seconds

Say = Callable[[str], None]
Elapsed = Callable[[], float]
TREES = "trees"
"""What early stopping finds: a family that stops early says under this name how far it went."""
LESS_MIN = 1e-6
"""A loss that is smaller by less than this part of it is the same."""


@dataclass
class _Clock:
    """Seconds since the search began, and when the family that is searched now has to be done."""

    elapsed: Elapsed
    ends: float
    longest: float = 0.0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.elapsed()

    @property
    def over(self) -> bool:
        """Whether another fit like the longest so far would go beyond the end."""
        return self.elapsed() + self.longest > self.ends


def search_all(
    task: Task, candidates: Iterable[Candidate], say: Say, elapsed: Elapsed | None = None
) -> dict[CandidateName, Search]:
    """What was found for each family that has settings to try; nothing without a budget.

    The order is fixed: the family's own settings, then those it names, in its order. So the same seed finds the same
    unless the budget ended it. What one family leaves of its share, the next ones have. ``elapsed`` is a clock.
    """
    budget = task.definition.use_case.candidates.budget
    wanted = [one for one in candidates if one.trials]
    if budget is None or not wanted:
        return {}
    allowed = float(seconds(budget))
    parts = [part for part in (part_of(task, fold) for fold in _folds(task)) if _can_judge(part)]
    if not parts:
        say("No search for better settings: the training part is too small to be parted. The families' own are used.")
    clock_of = elapsed or time.monotonic
    began = clock_of()
    found = {}
    for number, candidate in enumerate(wanted):
        now = clock_of() - began
        clock = _Clock(lambda: clock_of() - began, now + (allowed - now) / (len(wanted) - number))
        found[candidate.name] = _searched(task, candidate, parts, clock, allowed, say)
    return found


def _searched(task: Task, candidate: Candidate, parts: list[Task], clock: _Clock, allowed: float, say: Say) -> Search:
    known: tuple[Settings, ...] = ({}, *candidate.trials)
    trials: list[Trial] = []
    best: Trial | None = None
    for settings in known if parts else ():
        trial = _tried(candidate, settings, parts, clock)
        if trial is None:
            break
        trials.append(trial)
        if best is None or trial.loss < best.loss - LESS_MIN * abs(best.loss):
            best = trial
        say(
            f"{candidate.titles[task.kind]}: {len(trials)} of {len(known)} settings tried, best "
            f"{task.judge.loss.replace('_', ' ')} {best.loss:.4g}, {_minutes(clock.elapsed())} of "
            f"{_minutes(allowed)} minutes"
        )
    if parts and len(trials) < len(known):
        say(f"{candidate.titles[task.kind]}: {len(known) - len(trials)} settings were not tried: their time was over.")
    return Search(
        candidate=candidate.name,
        loss=task.judge.loss,
        trials=tuple(trials),
        known=len(known),
        chosen=best.settings if best else {},
        folds=len(parts),
        seconds=clock.elapsed() - clock.began,
        budget_seconds=allowed,
    )


def _tried(candidate: Candidate, settings: Settings, parts: list[Task], clock: _Clock) -> Trial | None:
    """The mean loss of these settings over the judging rows of all folds; None where the time is over before."""
    began, losses, trees = clock.elapsed(), [], []
    for part in parts:
        if clock.over:
            return None
        before = clock.elapsed()
        loss, stopped = _judged(part, candidate, settings)
        clock.longest = max(clock.longest, clock.elapsed() - before)
        losses.append(loss)
        trees += [stopped] if stopped else []
    far = {TREES: float(round(float(np.median(trees))))} if trees else {}
    return Trial({**settings, **far}, float(np.concatenate(losses).mean()), clock.elapsed() - began)


def _judged(part: Task, candidate: Candidate, settings: Settings) -> tuple[Vector, float]:
    """The loss of every judging row of a fold, and where early stopping ended; 0 where the family has none."""
    encoder, rows = part.encoded(candidate.texts)
    positions = part.teaching(encoder, rows)
    split, judge = part.split, part.judge
    watched = split.calibrate if part.kind != "category" else split.calibrate[part.labels[split.calibrate] != UNKNOWN]
    lesson: Lesson = replace(
        lesson_of(part, encoder, rows, positions, settings),
        watched=(rows.take(watched), part.labels[watched].astype(np.float64)),
    )
    trained = candidate.train(lesson)
    margins = trained.margins(rows.take(split.calibrate))
    calibration = judge.calibrated(margins)
    threshold = judge.threshold(calibration.outputs(margins))
    said = judge.answered(calibration.outputs(trained.margins(rows.take(split.held_out))), threshold)
    return judge.losses(said), float(trained.parameters.get(TREES, 0))


def _folds(task: Task) -> tuple[folds.Fold, ...]:
    train = task.split.train
    entities = task.rows["entity"].combine_chunks().dictionary_encode().indices.to_numpy()
    if not task.split.clocked:
        return folds.by_entity(train, entities, np.random.default_rng(SEED))
    matures = timedelta(seconds=seconds(task.definition.use_case.outcome.matures))
    return folds.by_time(train, task.split.days, entities, matures)


def _can_judge(part: Task) -> bool:
    """Whether there is enough in each part of a fold to learn, to stop by and to judge."""
    split = part.split
    for positions in (split.train, split.calibrate, split.held_out):
        labels = part.labels[positions]
        if part.kind == "flag" and min(int(labels.sum()), int((~labels).sum())) < POSITIVES_PART_MIN:
            return False
        if len(labels) < ROWS_PART_MIN:
            return False
    return part.kind != "category" or len(part.classes) > 1


def _minutes(taken: float) -> str:
    return f"{taken / 60:.1f}".removesuffix(".0")
