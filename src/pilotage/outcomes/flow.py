"""Joining what really happened to what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pilotage.data import flow as data
from pilotage.decisions.records import Said
from pilotage.govern import flow as governing
from pilotage.outcomes import rules, store
from pilotage.outcomes.records import JoinedOutcome, OutcomePull
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition, seconds
from pilotage.webhooks import flow as webhooks
from pilotage.webhooks.records import EventType, Told

_CORRECTIONS_MATURE_TIMES = 10


def pull(work: Workspace, definition: Definition) -> OutcomePull:
    """Join the outcomes that the source's newest snapshot holds to the decisions that still wait or may be corrected.

    Decisions count that were answered, or whose moment lies, within ten maturities before the newest answer: what
    becomes known of older ones, corrections too, is not joined any more. An outcome that the source later takes back
    (its expression is null then) keeps what it had: a correction says what it was instead. An outcome that had been
    read before its question was answered is joined and marked. Two pulls at once take turns, and nothing is joined
    twice.
    """
    matures = timedelta(seconds=seconds(definition.use_case.outcome.matures))
    with work.database.reading() as connection:
        decisions, newest_at = store.answered(connection, definition.name)
        if newest_at is None:
            return OutcomePull(definition.name)
        decided = store.decided_since(connection, definition.name, newest_at - matures * _CORRECTIONS_MATURE_TIMES)
        joined = store.newest(connection, definition.name)
    pairs = [(each.id, each.entity) for each in decided]
    happened = data.outcomes_of(work, definition, sorted({each.entity for each in decided}))
    found = rules.changes(pairs, happened, joined, definition.name, work.clock.now())
    if found:
        found, before = _kept(work, definition, found, happened, {each.id: each.decided_at for each in decided})
        joined |= before
    corrected = sum(each.revision > 1 for each in found)
    pulled = OutcomePull(definition.name, len(found) - corrected, corrected, decisions)
    known = joined | {each.decision: each for each in found}
    return rules.accounted(pulled, decided, known, matures, work.clock.now())


def _kept(
    work: Workspace,
    definition: Definition,
    found: Sequence[JoinedOutcome],
    happened: Mapping[str, tuple[Said, datetime]],
    decided_at: Mapping[str, datetime],
) -> tuple[list[JoinedOutcome], dict[str, JoinedOutcome]]:
    """Keep what still is new; with what counted before of the same decisions."""
    changed = [(each.decision, each.entity) for each in found]
    source, ids = definition.use_case.outcome.source, [decision for decision, _ in changed]
    with work.database.writing() as connection:
        governing.take_turn(connection)
        # Somebody else may have pulled since we looked: what counts is read again, of these decisions only.
        before = store.newest_of(connection, ids)
        new = rules.changes(changed, happened, before, definition.name, work.clock.now())
        ends = store.reached(connection, definition.name, source, [decided_at[each.decision] for each in new])
        new = rules.told_apart(new, dict(zip((each.decision for each in new), ends, strict=True)))
        store.add(connection, new)
        webhooks.emit(connection, work, [told_of(each, definition.name) for each in new])
    return new, before


def of_decision(work: Workspace, decision: str) -> list[JoinedOutcome]:
    """All that was said of one decision, newest first."""
    with work.database.reading() as connection:
        return store.of_decision(connection, decision)


def newest(work: Workspace, use_case: str) -> dict[str, JoinedOutcome]:
    """The outcome that counts, by decision."""
    with work.database.reading() as connection:
        return store.newest(connection, use_case)


def told_of(joined: JoinedOutcome, use_case: str) -> Told:
    """What other systems hear of an outcome: which decision has one now. What happened they look up."""
    data = {"use_case": use_case, "decision": joined.decision, "revision": joined.revision}
    return Told(EventType.OUTCOME_JOINED, use_case, joined.decision, joined.joined_at, data)
