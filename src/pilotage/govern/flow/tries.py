"""Wrong tries: each is counted before it is looked at, so that many at once do not get past the limit."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from pilotage.govern.rules.waiting import address_wait_seconds, still_counted, wait_seconds
from pilotage.govern.store import people as store
from pilotage.platform.errors import NotAuthenticated
from pilotage.platform.workspace import Workspace

_FORGET_AFTER = timedelta(days=1)


class TooManyTries(NotAuthenticated):
    """Wrong passwords or codes for one name came too often; the repair says how long to wait."""

    code = "too-many-tries"
    title = "Too many tries"
    status = 429


def take_try(work: Workspace, of: str, what: str) -> None:
    """Count a try as wrong until ``forget_tries`` says that it was right.

    ``of`` is who tries, in words that nobody types elsewhere; ``what`` is what is tried: passwords, codes.

    Raises:
        TooManyTries: five wrong ones came before; this one must not be looked at.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        wait = wait_seconds(*store.failures(connection, _hash(of), now), now)
        if not wait:
            store.count_failure(connection, _hash(of), now, now - _FORGET_AFTER)
    if wait:
        raise TooManyTries(f"Too many wrong {what}.", f"Try again in {wait} seconds.")


def forget_tries(work: Workspace, of: str) -> None:
    """The last try was right: start counting anew."""
    with work.database.writing() as connection:
        store.forget_failures(connection, _hash(of))


def take_try_from(work: Workspace, address: str) -> None:
    """Count a try of an address as wrong until ``give_try_back`` says that it was right; nothing where it is unknown.

    Raises:
        TooManyTries: a hundred wrong ones of this hour came before; this one must not be looked at.
    """
    if not address:
        return
    now, of = work.clock.now(), _hash(_from(address))
    with work.database.writing() as connection:
        failures, since = still_counted(*store.failures(connection, of, now), now)
        wait = address_wait_seconds(failures, since, now)
        if not wait:
            store.set_failures(connection, of, failures + 1, since)
    if wait:
        raise TooManyTries("Too many wrong passwords or codes from this address.", f"Try again in {wait} seconds.")


def give_try_back(work: Workspace, address: str) -> None:
    """The last try of an address was right: it does not count. Wrong ones before it do, whoever made them."""
    if not address:
        return
    now, of = work.clock.now(), _hash(_from(address))
    with work.database.writing() as connection:
        failures, since = still_counted(*store.failures(connection, of, now), now)
        store.set_failures(connection, of, max(0, failures - 1), since)


def _from(address: str) -> str:
    return f"log-in from {address}"


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
