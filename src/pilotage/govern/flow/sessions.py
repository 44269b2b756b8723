"""Lets people in with name and password, and knows them again by a random token."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from pilotage.govern.flow.audit_log import record, take_turn
from pilotage.govern.flow.passwords import fits
from pilotage.govern.flow.tries import TooManyTries, forget_tries, give_try_back, take_try, take_try_from
from pilotage.govern.records import EVERY_USE_CASE, Person, Principal, Session, Wait
from pilotage.govern.rules.demanding import demanding_roles
from pilotage.govern.store import people as store
from pilotage.govern.store import second_factors
from pilotage.platform.errors import NotAllowed, NotAuthenticated
from pilotage.platform.identifiers import new_id
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace

__all__ = ["TooManyTries", "log_in", "log_out", "principal_of_session"]

_PASSWORD_LETTERS_MAX = 1000
_AGENT_LETTERS_MAX = 200
_OPEN: tuple[Wait, ...] = ("",)
_HALFWAY: tuple[Wait, ...] = ("code", "enrolment")
_HALFWAY_MINUTES = 10
"""How long a session waits for a second factor."""


def log_in(work: Workspace, name: str, password: str, agent: str = "", address: str = "") -> str:
    """Open a session: its token, 256 random bits, of which only the SHA-256 is stored.

    Where a second factor is set up or demanded, the session opens nothing before it came (``waiting``).

    Raises:
        NotAuthenticated: no such name and password. Does not say which, and takes as long for either.
        TooManyTries: five wrong passwords came before, or a hundred tries from ``address``, where it is known; the
            password was not looked at.
    """
    if not work.settings.password_log_in:
        raise NotAuthenticated("Passwords open nothing here.", "Log in by your organisation's log-in.")
    take_try_from(work, address)  # before the name's: who may not try locks nobody out
    seen, password_hash = _with_password(work, name, password, f"log-in of {name.casefold()}")
    give_try_back(work, address)
    with work.database.writing() as connection:
        take_turn(connection)
        known = store.named(connection, seen.name)
        if known is None or known[1] != password_hash or known[0].disabled_at is not None:
            raise _not_fitting()
        return open_within(connection, work, known[0], agent, _wait_of(connection, work, known[0]))


def check_password(work: Workspace, who: Principal, password: str) -> str:
    """The stored hash, when this is the password of who is logged in.

    Raises:
        NotAllowed: it is not.
        TooManyTries: five wrong ones came before.
    """
    try:
        return _with_password(work, who.name, password, f"own password of {who.id}")[1]
    except TooManyTries:
        raise
    except NotAuthenticated:
        raise NotAllowed("This is not your password.", "Type the one that you log in with.") from None


def open_session(work: Workspace, person: Person, agent: str, how: str) -> str:
    """A new session's token; ``how`` somebody came in, for the audit log."""
    with work.database.writing() as connection:
        take_turn(connection)
        return open_within(connection, work, person, agent, how=how)


def exchange_session(work: Workspace, token: str, person: Person, agent: str, how: str) -> str:
    """The token of a new session in place of one that waited for a second factor.

    Raises:
        NotAuthenticated: that one was closed meanwhile: by a new password, or a second factor that was reset.
    """
    with work.database.writing() as connection:
        take_turn(connection)
        if not store.close_session(connection, hash_of_token(token)):
            raise took_too_long()
        return open_within(connection, work, person, agent, how=how)


def open_within(
    connection: sa.Connection, work: Workspace, person: Person, agent: str, waits_for: Wait = "", how: str = ""
) -> str:
    """Open a session within the caller's write transaction, in which what opens it was looked at."""
    now, token = work.clock.now(), secrets.token_urlsafe(32)
    lasting = timedelta(minutes=_HALFWAY_MINUTES) if waits_for else timedelta(hours=work.settings.session_hours)
    session = Session(
        new_id("ses", now), person.id, _printable(agent)[:_AGENT_LETTERS_MAX], now, now + lasting, waits_for
    )
    detail: dict[str, Any] = {"by": how} if how else {}
    store.open_session(connection, hash_of_token(token), session)
    if not waits_for:
        record(connection, work, principal_for(person), "log-in", person.name, detail)
    return token


def principal_of_session(work: Workspace, token: str) -> Principal | None:
    """Who opened the session; None when it is over, closed, waits for a second factor, or never was."""
    found = _in_session(work, token, _OPEN)
    return None if found is None else principal_for(found[0])


def waiting(work: Workspace, token: str) -> tuple[Person, Wait] | None:
    """Whose session waits for a second factor, and whether for a code or for setting one up."""
    return _in_session(work, token, _HALFWAY)


def log_out(work: Workspace, token: str) -> None:
    """Close the session."""
    with work.database.writing() as connection:
        store.close_session(connection, hash_of_token(token))


def own_sessions(work: Workspace, who: Principal, token: str) -> list[Session]:
    """Where somebody is logged in, newest first."""
    with work.database.reading() as connection:
        return store.sessions_of(connection, who.id, hash_of_token(token), work.clock.now())


def end_others(work: Workspace, who: Principal, token: str) -> int:
    """End all of one's sessions but this one; how many there were."""
    with work.database.writing() as connection:
        ended = store.close_sessions(connection, who.id, hash_of_token(token))
        if ended:
            record(connection, work, who, "end-sessions", who.name, {"sessions": ended})
    return ended


def is_demanded(settings: Settings, person: Person) -> bool:
    """Whether the installation wants a second factor of somebody with this person's roles."""
    wanted = demanding_roles(settings.second_factor_roles)
    return EVERY_USE_CASE in wanted or any(grant.role.value in wanted for grant in person.grants)


def principal_for(person: Person) -> Principal:
    """A person, as who acts."""
    return Principal(person.id, person.name, "person", person.grants)


def took_too_long() -> NotAuthenticated:
    """A log-in that waited for a second factor waits no more."""
    return NotAuthenticated("This log-in took too long.", "Begin again.")


def _wait_of(connection: sa.Connection, work: Workspace, person: Person) -> Wait:
    factor = second_factors.find(connection, person.id)
    if factor is not None and factor.confirmed_at is not None:
        return "code"
    return "enrolment" if is_demanded(work.settings, person) else ""


def _with_password(work: Workspace, name: str, password: str, tries_of: str) -> tuple[Person, str]:
    """Whose name and password these are, and the hash that the password was held against."""
    take_try(work, tries_of, "passwords for this name")
    with work.database.reading() as connection:
        known = None if "\0" in name else store.named(connection, name)  # PostgreSQL knows no text with it
    is_right = fits(password[:_PASSWORD_LETTERS_MAX], None if known is None else known[1])
    if known is None or not is_right or known[0].disabled_at is not None:
        raise _not_fitting()
    forget_tries(work, tries_of)
    return known


def _not_fitting() -> NotAuthenticated:
    return NotAuthenticated("This name and password do not fit together.", "Try again, or ask an admin.")


def _in_session(work: Workspace, token: str, waits_for: Collection[Wait]) -> tuple[Person, Wait] | None:
    with work.database.reading() as connection:
        return store.person_in_session(connection, hash_of_token(token), work.clock.now(), waits_for)


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable())


def hash_of_token(text: str) -> bytes:
    """What is stored of a session's token."""
    return hashlib.sha256(text.encode()).digest()
