"""The ledger of held-out periods: who judged which candidates on which days, and how often already."""

from __future__ import annotations

from datetime import datetime

from pilotage.data import store
from pilotage.data.records import HoldoutUse, TrainingSet
from pilotage.data.rules.holdouts import earlier
from pilotage.platform.workspace import Workspace


def note_holdout_use(
    work: Workspace,
    training_set: TrainingSet,
    comparison: str,
    train_to: datetime,
    held: tuple[datetime, datetime],
    by: str,
) -> int:
    """Enter that a comparison judged on the period ``held`` (from, to); how often that period was judged on now.

    ``train_to`` is where learning ended, ``by`` is who judged. The same comparison is entered once.
    """
    use = HoldoutUse(
        use_case=training_set.use_case,
        training_set=training_set.id,
        comparison=comparison,
        train_to=train_to,
        held_from=held[0],
        held_to=held[1],
        by=by,
        made_at=work.clock.now(),
    )
    with work.database.writing() as connection:
        if store.holdout_use(connection, comparison) is None:
            store.add_holdout_use(connection, use)
    return times_judged(work, comparison)


def times_judged(work: Workspace, comparison: str) -> int:
    """Which judgement on its period, or on a part of it, this comparison is, counted from 1; 0 where none is known."""
    with work.database.reading() as connection:
        use = store.holdout_use(connection, comparison)
        if use is None:
            return 0
        uses = store.holdout_uses_within(connection, use.use_case, use.held_from, use.held_to)
    return len(earlier(uses, comparison)) + 1
