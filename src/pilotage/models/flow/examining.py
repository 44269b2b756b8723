"""One model looked at closely: by groups of people, with fewer rows and fewer columns, over time, when it is sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pilotage.data.rules.needs import groups
from pilotage.data.rules.spine import GROUP
from pilotage.models import artefacts
from pilotage.models.families import family
from pilotage.models.families.candidate import Settings
from pilotage.models.flow import ablating, curving
from pilotage.models.flow.loading import load_artefact
from pilotage.models.flow.task import SEED, Task
from pilotage.models.records import Ablation, Band, CandidateName, Grouped, Learning, Measured, Stability, Surest
from pilotage.models.rules import abstaining, fairness, stability
from pilotage.models.rules.judging.judge import Answers
from pilotage.platform.errors import PilotageError
from pilotage.platform.workspace import Workspace

Say = Callable[[str], None]
EXTRA_SHARE = 0.2
"""Of the time that all candidates took to learn, which the learning curve and the ablation may take each."""
EXTRA_SECONDS_MIN = 8.0
"""They may take so long however fast the candidates learnt."""


@dataclass(frozen=True)
class Looked:
    """The model that is looked at: what it answers, from how many rows it learnt, and where it is kept."""

    measured: Measured
    said: Answers
    rule: Answers
    digest: str
    rows: int
    settings: Settings


@dataclass(frozen=True)
class Examined:
    """What was found; empty where no model could be looked at."""

    learning: Learning | None = None
    ablation: Ablation | None = None
    stability: Stability | None = None
    surest: tuple[Surest, ...] = ()
    bands: tuple[Band, ...] = ()


def examine(work: Workspace, task: Task, looked: Looked, learning_seconds: float, say: Say) -> Examined:
    """``learning_seconds`` is what all candidates took to learn."""
    name, said = looked.measured.candidate, looked.said
    allowed = max(EXTRA_SECONDS_MIN, EXTRA_SHARE * learning_seconds)
    say(f"Looking closer at {looked.measured.title.split(',')[0].lower()}: more data, each source, over time.")
    candidate, taken = family(name), looked.measured.train_seconds
    learnt = ablated = None
    if candidate is not None:
        whole = (said, looked.rows)
        learnt = curving.learning(task, candidate, looked.settings, whole, taken, allowed)
        ablated = ablating.retraining(task, candidate, looked.settings, said, taken, allowed)
    if ablated is None:
        scorer = load_artefact(work, looked.digest, artefacts.sign(work, looked.digest))
        try:
            ablated = ablating.exchanging(task, name, scorer, said, said.threshold)
        except PilotageError as error:  # an endpoint that does not answer: the comparison stands without it
            say(f"What each source is worth was not measured: {error.message}")
    days = task.split.days[task.split.held_out]
    return Examined(
        learning=learnt,
        ablation=ablated,
        stability=stability.measured(task.judge, name, said, days) if task.split.clocked else None,
        surest=abstaining.surest(task.judge, said, looked.rule, np.random.default_rng(SEED)),
        bands=abstaining.bands(task.judge, said, task.definition.use_case.policy.uncertain_within),
    )


def grouped(task: Task, name: CandidateName, said: Answers, rule: Answers) -> tuple[Grouped, ...]:
    """By each declared group that the training set has; of an earlier one some may be missing."""
    use_case = task.definition.use_case
    limited = set(use_case.fairness.by) if use_case.fairness else set()
    found = []
    for column in groups(use_case):
        if GROUP + column in task.rows.column_names:
            values = task.rows[GROUP + column].take(task.split.held_out).to_pylist()
            limit = use_case.fairness if column in limited else None
            found.append(fairness.measured(task.judge, name, said, rule, column, values, limit))
    return tuple(found)
