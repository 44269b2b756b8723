"""Takes events in. Deeds in the audit log become events by its numbers: each exactly once, and none before its commit.

What is not in the audit log is emitted in the transaction that makes it, so that there is either both or neither.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import sqlalchemy as sa

from pilotage.govern import flow as governing
from pilotage.platform.identifiers import new_id
from pilotage.platform.outages import Outage
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import store
from pilotage.webhooks.records import Delivery, Endpoint, Event, EventType, Told
from pilotage.webhooks.rules import events as rules

_ENTRIES_AT_ONCE = 1_000
WAITING_MAX = 100_000
"""An endpoint that so many deliveries wait for is told no more frequent events until it has caught up: they come faster
than it takes them, and what they tell is in the ledger anyway. All others are kept for it.
"""
_QUIET_SECONDS = 60.0
_left_behind: dict[str, Outage] = {}
"""Of each endpoint that was: one that hovers about the limit is said once, and no other endpoint ends it."""


def emit(connection: sa.Connection, work: Workspace, happened: Sequence[Told]) -> int:
    """Keep events within the caller's write transaction: both are stored, or neither. How many were kept.

    A frequent event is kept only where somebody is told of it, and for those who are not too far behind.
    """
    endpoints = store.all_endpoints(connection)
    frequent = _keeping_up(connection, endpoints, {each.type for each in happened} & rules.FREQUENT)
    wanted = []
    for told in happened:
        receivers = rules.interested(frequent if told.type in rules.FREQUENT else endpoints, told.type, told.use_case)
        if receivers or told.type not in rules.FREQUENT:
            wanted.append((event_of(work, told), receivers))
    keep(connection, work, wanted)
    return len(wanted)


def is_told(connection: sa.Connection, kind: str, use_case: str) -> bool:
    """Whether anybody is told of events of this type: callers need not describe what nobody hears."""
    return bool(rules.interested(store.all_endpoints(connection), kind, use_case))


def take_in(work: Workspace) -> int:
    """Make events of the deeds that were recorded since the last look; how many. Without any it costs two queries."""
    with work.database.reading() as connection:
        at = store.cursor_at(connection)
        upto = _upto(connection, at)
        is_idle = at is not None and upto - at < _ENTRIES_AT_ONCE
        if is_idle and not governing.deeds_between(connection, at or 0, upto, rules.ACTIONS):
            return 0
    with work.database.writing() as connection:
        at = store.cursor_at(connection, lock=True)
        if at is None:
            store.begin_cursor(connection, governing.last_number(connection))
            return 0
        upto = _upto(connection, at)
        endpoints = store.all_endpoints(connection)
        wanted = []
        for entry in governing.deeds_between(connection, at, upto, rules.ACTIONS):
            told = rules.told_by(entry)
            if told is not None:
                known = [each for each in endpoints if each.since_entry < entry.number]
                receivers = rules.interested(known, told.type, told.use_case)
                wanted.append((event_of(work, told, entry.number), receivers))
        keep(connection, work, wanted)
        store.move_cursor(connection, upto)
    return len(wanted)


def event_of(work: Workspace, told: Told, entry: int | None = None) -> Event:
    """An event with its identifier, which is also the one that receivers know it by, and its body."""
    name = new_id("evt", work.clock.now())
    body = rules.body(name, work.settings.address, told)
    return Event(name, told.type.value, told.use_case, told.subject[:200], told.at, body, entry)


def keep(connection: sa.Connection, work: Workspace, wanted: Sequence[tuple[Event, Sequence[Endpoint]]]) -> None:
    """Store events, and a delivery for each of their receivers."""
    store.insert_events(connection, [event for event, _ in wanted])
    found = [delivery_of(work, event, each) for event, receivers in wanted for each in receivers]
    store.insert_deliveries(connection, found)


def delivery_of(work: Workspace, event: Event, endpoint: Endpoint, replay: bool = False) -> Delivery:
    """One event that is to be sent to one endpoint, now."""
    now = work.clock.now()
    return Delivery(
        id=new_id("dlv", now),
        endpoint=endpoint.id,
        event=event.id,
        type=event.type,
        subject=event.subject,
        state="waiting",
        attempts=0,
        made_at=now,
        due_at=now,
        replay=replay,
    )


def _keeping_up(connection: sa.Connection, endpoints: Sequence[Endpoint], kinds: Set[EventType]) -> list[Endpoint]:
    """Those that are told of these frequent events and have room for more."""
    named = [each for each in endpoints if each.disabled_at is None and not kinds.isdisjoint(each.types)]
    return [each for each in named if not _is_behind(connection, each.id)]


def _is_behind(connection: sa.Connection, endpoint: str) -> bool:
    is_behind = store.has_waiting(connection, endpoint, WAITING_MAX)
    if is_behind:
        outage = _left_behind.setdefault(
            endpoint, Outage("webhook_left_behind", quiet_seconds=_QUIET_SECONDS, endpoint=endpoint)
        )
        outage.failed(f"{WAITING_MAX:,} deliveries wait; frequent events are left out")
    elif endpoint in _left_behind:
        _left_behind[endpoint].ended()
    return is_behind


def _upto(connection: sa.Connection, at: int | None) -> int:
    last = governing.last_number(connection)
    return last if at is None else min(last, at + _ENTRIES_AT_ONCE)
