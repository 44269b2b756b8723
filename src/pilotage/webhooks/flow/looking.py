"""Looks into the delivery log, and forgets what is old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import store
from pilotage.webhooks.flow.endpoints import found
from pilotage.webhooks.records import Attempt, Delivery, Page

KEPT = timedelta(days=30)
SHOWN = 50
_FORGOTTEN_AT_ONCE = 1_000


def page(work: Workspace, endpoint: str = "", before: str | None = None, limit: int = SHOWN) -> Page:
    """The newest deliveries, optionally of one endpoint and older than one of them.

    Raises:
        NotFound: there is no such endpoint.
    """
    with work.database.reading() as connection:
        if endpoint:
            found(connection, endpoint)
        more = store.newest_deliveries(connection, limit + 1, endpoint, before)
    shown = tuple(more[:limit])
    return Page(shown, shown[-1].id if len(more) > limit else None)


def delivery(work: Workspace, identifier: str) -> tuple[Delivery, list[Attempt]]:
    """One delivery, and each try.

    Raises:
        NotFound: there is none.
    """
    with work.database.reading() as connection:
        one = store.find_delivery(connection, identifier)
        log = store.attempts_of(connection, [identifier])
    if one is None:
        raise NotFound(f"There is no delivery {identifier}.", "Look at the deliveries of its webhook.")
    return one, log.get(identifier, [])


def attempts_of(work: Workspace, deliveries: Iterable[Delivery]) -> dict[str, list[Attempt]]:
    """Each delivery's tries, in order."""
    with work.database.reading() as connection:
        return store.attempts_of(connection, [each.id for each in deliveries])


def forget_old(work: Workspace) -> int:
    """Remove events older than 30 days, with the log of their deliveries, but for what is still sent. How many.

    Some at a time, so that writers do not wait long.
    """
    before, removed = work.clock.now() - KEPT, 0
    while True:
        with work.database.writing() as connection:
            count = store.forget(connection, before, _FORGOTTEN_AT_ONCE)
        removed += count
        if count < _FORGOTTEN_AT_ONCE:
            return removed
