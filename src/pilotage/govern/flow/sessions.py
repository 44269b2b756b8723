"""Lets people in with name and password, and knows them again by a random token."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from pilotage.govern.flow.audit_log import record
from pilotage.govern.flow.passwords import fits
from pilotage.govern.records import Person, Principal
from pilotage.govern.rules.waiting import wait_seconds
from pilotage.govern.store import people as store
from pilotage.platform.errors import NotAuthenticated
from pilotage.platform.workspace import Workspace

_PASSWORD_LETTERS_MAX = 1000
_FORGET_FAILURES_AFTER = timedelta(days=1)


class TooManyTries(NotAuthenticated):
    """Wrong passwords for one name came too often; the repair says how long to wait."""

    code = "too-many-tries"
    title = "Too many tries"
    status = 429


def log_in(work: Workspace, name: str, password: str) -> str:
    """Open a session: its token, 256 random bits, of which only the SHA-256 is stored.

    Raises:
        NotAuthenticated: no such name and password. Does not say which, and takes as long for either.
        TooManyTries: five wrong passwords came before; the password was not looked at.
    """
    now, name_hash = work.clock.now(), _hash(name.casefold())
    with work.database.reading() as connection:
        known = store.named(connection, name)
        before = store.failures(connection, name_hash)
    wait = 0 if before is None else wait_seconds(*before, now)
    if wait:
        raise TooManyTries("Too many wrong passwords for this name.", f"Try again in {wait} seconds.")
    is_right = fits(password[:_PASSWORD_LETTERS_MAX], None if known is None else known[1])
    if known is None or not is_right or known[0].disabled_at is not None:
        with work.database.writing() as connection:
            store.count_failure(connection, name_hash, now, now - _FORGET_FAILURES_AFTER)
        raise NotAuthenticated("This name and password do not fit together.", "Try again, or ask an admin.")
    return _open(work, known[0], name_hash)


def principal_of_session(work: Workspace, token: str) -> Principal | None:
    """Who opened the session; None when it is over, closed, or never was."""
    with work.database.reading() as connection:
        person = store.person_in_session(connection, _hash(token), work.clock.now())
    return None if person is None else _principal(person)


def log_out(work: Workspace, token: str) -> None:
    """Close the session."""
    with work.database.writing() as connection:
        store.close_session(connection, _hash(token))


def _open(work: Workspace, person: Person, name_hash: bytes) -> str:
    now, token = work.clock.now(), secrets.token_urlsafe(32)
    until = now + timedelta(hours=work.settings.session_hours)
    with work.database.writing() as connection:
        store.forget_failures(connection, name_hash)
        store.open_session(connection, _hash(token), person.id, now, until)
        record(connection, work, _principal(person), "log-in", person.name, {})
    return token


def _principal(person: Person) -> Principal:
    return Principal(person.id, person.name, "person", person.grants)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
