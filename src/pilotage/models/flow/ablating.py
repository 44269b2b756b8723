"""What the model loses without each source and each column of the request."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pilotage.models.families import Candidate
from pilotage.models.families.candidate import Settings
from pilotage.models.flow.retraining import retrained
from pilotage.models.flow.task import SEED, Task
from pilotage.models.records import Ablation, CandidateName, Without
from pilotage.models.rules import column_groups
from pilotage.models.rules.judging.judge import Answers
from pilotage.models.rules.paired import Drawn, drawn, mean_of
from pilotage.models.scoring import Scorer

EXCHANGES = 2
GROUPS_MAX = 20
"""More sources and columns than this are not told: nobody would read them."""


def retraining(
    task: Task, candidate: Candidate, settings: Settings, whole: Answers, taken_seconds: float, allowed_seconds: float
) -> Ablation | None:
    """By learning again without each group; None where that would take longer than is allowed."""
    groups = column_groups.groups(task.definition.plan)
    if len(groups) > GROUPS_MAX or taken_seconds * len(groups) > allowed_seconds:
        return None
    full = drawn(task.judge, whole)
    found = [
        _without(name, columns, full, drawn(task.judge, retrained(task, candidate, settings, columns)[0]))
        for name, columns in groups.items()
    ]
    return Ablation(candidate.name, True, _dearest_first(found))


def exchanging(task: Task, name: CandidateName, scorer: Scorer, whole: Answers, threshold: float | None) -> Ablation:
    """By giving each held-out row the values of another one (Breiman 2001), a few times over."""
    groups = column_groups.groups(task.definition.plan)
    full, held_out = drawn(task.judge, whole), task.held_out
    random = np.random.default_rng(SEED)
    found = []
    for group, columns in list(groups.items())[:GROUPS_MAX]:
        draws = []
        for _ in range(EXCHANGES):
            others = pa.array(random.permutation(held_out.num_rows))
            outputs = scorer.calibrated(_exchanged(held_out, columns, others))
            draws.append(drawn(task.judge, task.judge.answered(outputs, threshold)))
        found.append(_without(group, columns, full, mean_of(draws)))
    return Ablation(name, False, _dearest_first(found), tuple(groups)[GROUPS_MAX:])


def _exchanged(table: pa.Table, columns: tuple[str, ...], others: pa.Array) -> pa.Table:
    for column in columns:
        table = table.set_column(table.schema.get_field_index(column), column, table[column].take(others))
    return table


def _without(name: str, columns: tuple[str, ...], full: Drawn, less: Drawn) -> Without:
    money, loss, measure = full.minus(less).estimates
    return Without(name=name, columns=columns, money=money, loss=loss, measure=measure)


def _dearest_first(found: list[Without]) -> tuple[Without, ...]:
    return tuple(sorted(found, key=lambda one: -one.money.value))
