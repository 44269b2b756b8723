"""Joining what really happened to what was decided."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pilotage.data import flow as data
from pilotage.decisions.records import Said
from pilotage.govern import flow as governing
from pilotage.outcomes import rules, store
from pilotage.outcomes.records import Decided, JoinedOutcome, OutcomePull
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition, seconds
from pilotage.webhooks import flow as webhooks
from pilotage.webhooks.records import EventType, Told

_CORRECTIONS_MATURE_TIMES = 10
_LOOKED_AT = 20_000
"""Decisions that are held in memory at once: some 20 MB."""
_JOINED_AT_ONCE = 2_500
"""Outcomes that one transaction writes: others wait for it some tens of milliseconds."""

_RESTS_AFTER_SECONDS = 0.5
_RESTS_TIMES, _RESTS_TIMES_WITH_NEWS = 50, 5
_RESTS_SECONDS_MAX = 3600.0
_rests: dict[tuple[str, str], tuple[tuple[str, str], float, float]] = {}
"""By installation and use case: of which snapshot and file this process's last pull was, how long it took, when it
ended.
"""


def pull(work: Workspace, definition: Definition) -> OutcomePull:
    """Join the outcomes that the source's newest snapshot holds to the decisions that still wait or may be corrected.

    Decisions count that were answered, or whose moment lies, within ten maturities before the newest answer: what
    becomes known of older ones, corrections too, is not joined any more. An outcome that the source later takes back
    (its expression is null then) keeps what it had: a correction says what it was instead. An outcome that had been
    read before its question was answered is joined and marked.

    They are looked at in the order of their identifiers, some at a time, and joined in short transactions: it takes the
    same memory however many there are. Two pulls at once take turns, the next one goes on where one was interrupted,
    and nothing is joined twice.
    """
    matures = timedelta(seconds=seconds(definition.use_case.outcome.matures))
    with work.database.reading() as connection:
        decisions, newest_at = store.answered(connection, definition.name)
    pulled = OutcomePull(definition.name, decisions=decisions)
    if newest_at is None:
        return pulled
    since = newest_at - matures * _CORRECTIONS_MATURE_TIMES
    with data.reading_outcomes(work, definition) as outcomes_of:
        for decided in _decided_since(work, definition.name, since):
            happened = outcomes_of(sorted({each.entity for each in decided}))
            revisions = _join(work, definition, rules.behind(decided, happened), happened)
            without = [each for each in decided if each.known_at is None and each.entity not in happened]
            pulled = rules.accounted(pulled, revisions, without, matures, work.clock.now())
    with work.database.reading() as connection:
        return rules.completed(pulled, *store.count_known(connection, definition.name))


def pull_due(work: Workspace, definition: Definition) -> OutcomePull | None:
    """As :func:`pull`, for what repeats it; None where it rests.

    One that takes long rests five times as long where the source or the file is another since, so that a use case takes
    no more than a sixth of a process's core; and fifty times, an hour at most, where they are not: then only decisions
    that were asked meanwhile could have got an outcome, and mostly have none yet. One that fails rests, too.
    """
    source = f"{definition.name}/{definition.use_case.outcome.source}"
    version = data.snapshot_versions(work, definition.name).get(source, "")
    key, stands = (str(work.database.url), definition.name), (version, definition.fingerprint)
    before, took, ended = _rests.get(key, (("", ""), 0.0, 0.0))
    times = _RESTS_TIMES if before == stands else _RESTS_TIMES_WITH_NEWS
    began = time.monotonic()
    if took > _RESTS_AFTER_SECONDS and began < ended + min(times * took, _RESTS_SECONDS_MAX):
        return None
    try:
        return pull(work, definition)
    finally:
        ended = time.monotonic()
        _rests[key] = (stands, ended - began, ended)


def _decided_since(work: Workspace, use_case: str, since: datetime) -> Iterator[list[Decided]]:
    after = ""
    while True:
        with work.database.reading() as connection:
            found = store.decided_since(connection, use_case, since, after, _LOOKED_AT)
        if found:
            yield found
            after = found[-1].id
        if len(found) < _LOOKED_AT:
            return


def _join(
    work: Workspace,
    definition: Definition,
    behind: Sequence[Decided],
    happened: Mapping[str, tuple[Said, datetime]],
) -> list[int]:
    """Join what is known of these decisions; the revision of each outcome that was new."""
    source, found = definition.use_case.outcome.source, list[int]()
    for start in range(0, len(behind), _JOINED_AT_ONCE):
        some = behind[start : start + _JOINED_AT_ONCE]
        with work.database.reading() as connection:
            ends = store.reached(connection, definition.name, source, [each.decided_at for each in some])
        reached = dict(zip((each.id for each in some), ends, strict=True))
        with work.database.writing() as connection:
            governing.take_turn(connection)
            # Somebody else may have pulled since we looked: what counts is read again, of these decisions only.
            before = store.newest_of(connection, [each.id for each in some])
            pairs = [(each.id, each.entity) for each in some]
            new = rules.changes(pairs, happened, before, definition.name, work.clock.now())
            new = rules.told_apart(new, reached)
            store.add(connection, new)
            webhooks.emit(connection, work, [told_of(each, definition.name) for each in new])
        found += [each.revision for each in new]
    return found


def of_decision(work: Workspace, decision: str) -> list[JoinedOutcome]:
    """All that was said of one decision, newest first."""
    with work.database.reading() as connection:
        return store.of_decision(connection, decision)


def newest(work: Workspace, use_case: str) -> dict[str, JoinedOutcome]:
    """The outcome that counts, by decision."""
    with work.database.reading() as connection:
        return store.newest(connection, use_case)


def newest_of(work: Workspace, decisions: Sequence[str]) -> dict[str, JoinedOutcome]:
    """What is known to have happened of these decisions."""
    with work.database.reading() as connection:
        return store.newest_of(connection, decisions)


def told_of(joined: JoinedOutcome, use_case: str) -> Told:
    """What other systems hear of an outcome: which decision has one now. What happened they look up."""
    data = {"use_case": use_case, "decision": joined.decision, "revision": joined.revision}
    return Told(EventType.OUTCOME_JOINED, use_case, joined.decision, joined.joined_at, data)
