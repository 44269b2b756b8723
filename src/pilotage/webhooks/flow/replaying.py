"""Sends again: one event, all since an instant; and sends a test event. An event keeps its identifier."""

from __future__ import annotations

from datetime import datetime, timedelta

from pilotage.govern import flow as governing
from pilotage.govern.records import EVERY_USE_CASE, Principal
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound
from pilotage.platform.instants import iso
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import store
from pilotage.webhooks.flow.emitting import delivery_of, event_of, keep
from pilotage.webhooks.flow.endpoints import found
from pilotage.webhooks.records import Delivery, Endpoint, EventType, Told
from pilotage.webhooks.rules.events import wanted_types, wants

EVENTS_MAX = 10_000
HOURS_MAX = 720


def send_test(work: Workspace, by: Principal, identifier: str) -> Delivery:
    """Send a test event to one endpoint, whatever types it wants.

    Raises:
        NotFound: there is no such endpoint.
        Conflict: it is disabled.
    """
    with work.database.writing() as connection:
        endpoint = found(connection, identifier)
        _refuse_disabled(endpoint)
        about = "" if endpoint.use_case == EVERY_USE_CASE else endpoint.use_case
        told = Told(EventType.WEBHOOK_TEST, about, identifier, work.clock.now(), {"webhook": identifier})
        event = event_of(work, told)
        delivery = delivery_of(work, event, endpoint)
        keep(connection, work, [(event, ())])
        store.insert_deliveries(connection, [delivery])
    return delivery


def replay(work: Workspace, by: Principal, identifier: str, event_id: str) -> Delivery:
    """Send one event again, under its identifier.

    Raises:
        NotFound: there is no such endpoint, or no such event for it.
        Conflict: the endpoint is disabled, or the event is still on its way.
    """
    with work.database.writing() as connection:
        endpoint = found(connection, identifier)
        _refuse_disabled(endpoint)
        event = store.find_event(connection, event_id)
        is_test_of_its_own = event is not None and event.type == EventType.WEBHOOK_TEST and event.subject == identifier
        if event is None or not (is_test_of_its_own or wants(endpoint, event.type, event.use_case)):
            raise NotFound(
                f"There is no event {event_id} for {identifier}.",
                "They are kept for 30 days: see its deliveries.",
            )
        if event_id in store.on_their_way(connection, identifier):
            raise Conflict(f"Event {event_id} is still on its way.", "Wait for the attempts that are left.")
        delivery = delivery_of(work, event, endpoint, replay=True)
        store.insert_deliveries(connection, [delivery])
        governing.record(connection, work, by, "webhook.replayed", identifier, {"event": event_id})
    return delivery


def replay_since(work: Workspace, by: Principal, identifier: str, since: datetime) -> int:
    """Send again all that the endpoint wants and that happened from an instant on, but for what is on its way.

    Raises:
        NotFound: there is no such endpoint.
        Conflict: it is disabled.
        InvalidRequest: more than 10,000 such events happened since.
    """
    with work.database.writing() as connection:
        endpoint = found(connection, identifier)
        _refuse_disabled(endpoint)
        about = None if endpoint.use_case == EVERY_USE_CASE else endpoint.use_case
        events = store.events_since(connection, since, wanted_types(endpoint), about, EVENTS_MAX + 1)
        if len(events) > EVENTS_MAX:
            raise InvalidRequest(
                f"More than {EVENTS_MAX:,} events that {identifier} wants happened since {iso(since)}.", "Begin later."
            )
        under_way = store.on_their_way(connection, identifier)
        again = [delivery_of(work, each, endpoint, replay=True) for each in events if each.id not in under_way]
        store.insert_deliveries(connection, again)
        detail = {"since": iso(since), "events": len(again)}
        governing.record(connection, work, by, "webhook.replayed", identifier, detail)
    return len(again)


def hours_before(now: datetime, hours: float) -> datetime:
    """The instant so many hours ago.

    Raises:
        InvalidRequest: the hours are not in 0 to 720, for which events are kept.
    """
    if not 0 <= hours <= HOURS_MAX:
        raise InvalidRequest(f"The past hours must lie in 0 to {HOURS_MAX} (got {hours:g}).", "Choose 24.")
    return now - timedelta(hours=hours)


def _refuse_disabled(endpoint: Endpoint) -> None:
    if endpoint.disabled_at is not None:
        raise Conflict(f"{endpoint.id} is disabled.", "Enable it first.")
