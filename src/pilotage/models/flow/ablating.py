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
RANKED_ON = 500
"""By so many held-out decisions at most it is told on which groups a model leans most, where not all are tried."""


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
    tried, ranked_on = list(groups), 0
    if len(groups) > GROUPS_MAX:
        few = _few(held_out, len(groups))
        tried, ranked_on = _leant_on(task, scorer, groups, few)[:GROUPS_MAX], few.num_rows
    found = []
    for group in tried:
        columns = groups[group]
        draws = []
        for _ in range(EXCHANGES):
            others = pa.array(random.permutation(held_out.num_rows))
            outputs = scorer.calibrated(_exchanged(held_out, columns, others))
            draws.append(drawn(task.judge, task.judge.answered(outputs, threshold)))
        found.append(_without(group, columns, full, mean_of(draws)))
    skipped = tuple(group for group in groups if group not in tried)
    return Ablation(name, False, _dearest_first(found), skipped, ranked_on)


def _few(held_out: pa.Table, groups: int) -> pa.Table:
    """Held-out decisions, drawn evenly: so few that ranking by them costs no more than trying what is tried then."""
    most = min(RANKED_ON, held_out.num_rows, max(2, EXCHANGES * GROUPS_MAX * held_out.num_rows // groups))
    return held_out.take(pa.array(np.linspace(0, held_out.num_rows - 1, most).astype(np.intp)))


def _leant_on(task: Task, scorer: Scorer, groups: dict[str, tuple[str, ...]], few: pa.Table) -> list[str]:
    """The groups by how much the answers to a few decisions change when these exchange its values, once: most first."""
    outputs = 1 if task.kind == "number" else None
    as_they_are = scorer.calibrated(few)[:, :outputs]
    others = pa.array(np.random.default_rng(SEED).permutation(few.num_rows))
    moved = {
        group: float(np.abs(scorer.calibrated(_exchanged(few, columns, others))[:, :outputs] - as_they_are).mean())
        for group, columns in groups.items()
    }
    return sorted(groups, key=lambda group: -moved[group])


def _exchanged(table: pa.Table, columns: tuple[str, ...], others: pa.Array) -> pa.Table:
    for column in columns:
        table = table.set_column(table.schema.get_field_index(column), column, table[column].take(others))
    return table


def _without(name: str, columns: tuple[str, ...], full: Drawn, less: Drawn) -> Without:
    money, loss, measure = full.minus(less).estimates
    return Without(name=name, columns=columns, money=money, loss=loss, measure=measure)


def _dearest_first(found: list[Without]) -> tuple[Without, ...]:
    return tuple(sorted(found, key=lambda one: -one.money.value))
