"""Joining what really happened to what was decided."""

from __future__ import annotations

from datetime import timedelta

from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.outcomes import rules, store
from pilotage.outcomes.records import JoinedOutcome, OutcomePull
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition, seconds

_CORRECTIONS_MATURE_TIMES = 10


def pull(work: Workspace, definition: Definition) -> OutcomePull:
    """Join the outcomes that the source's newest snapshot holds to the decisions that still wait or may be corrected.

    Decisions count whose moment lies within ten maturities before the newest one: what becomes known of older ones,
    corrections too, is not joined any more. An outcome that the source later takes back (its expression is null then)
    keeps what it had: a correction says what it was instead. Two pulls at once take turns, and nothing is joined twice.
    """
    span = timedelta(seconds=seconds(definition.use_case.outcome.matures) * _CORRECTIONS_MATURE_TIMES)
    with work.database.reading() as connection:
        newest = store.newest_moment(connection, definition.name)
        if newest is None:
            return OutcomePull(definition.name, 0, 0, 0)
        decided = store.decided_since(connection, definition.name, newest - span)
        joined = store.newest(connection, definition.name)
    happened = data.outcomes_of(work, definition, sorted({entity for _, entity in decided}))
    found = rules.changes(decided, happened, joined, definition.name, work.clock.now())
    if found:
        with work.database.writing() as connection:
            governing.take_turn(connection)
            # Somebody else may have pulled since we looked: what counts is read again, of these decisions only.
            changed = [(each.decision, each.entity) for each in found]
            before = store.newest_of(connection, [decision for decision, _ in changed])
            found = rules.changes(changed, happened, before, definition.name, work.clock.now())
            store.add(connection, found)
            joined |= before
    corrected = sum(each.revision > 1 for each in found)
    known = {each.decision for each in found} | set(joined)
    waiting = sum(decision not in known for decision, _ in decided)
    return OutcomePull(definition.name, len(found) - corrected, corrected, waiting)


def of_decision(work: Workspace, decision: str) -> list[JoinedOutcome]:
    """All that was said of one decision, newest first."""
    with work.database.reading() as connection:
        return store.of_decision(connection, decision)


def newest(work: Workspace, use_case: str) -> dict[str, JoinedOutcome]:
    """The outcome that counts, by decision."""
    with work.database.reading() as connection:
        return store.newest(connection, use_case)
