"""Makes, knows and disables the keys with which apps come."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from pilotage.govern.flow.audit_log import record
from pilotage.govern.records import EVERY_USE_CASE, Grant, Key, Principal
from pilotage.govern.store import keys as store
from pilotage.platform.errors import InvalidRequest, NotAllowed, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace

PREFIX = "pk_"
_SHOWN_LETTERS = 8
_NAME_LETTERS_MAX = 80
_REQUESTS_MAX = 1_000_000_000


def make_key(work: Workspace, by: Principal, name: str, grants: tuple[Grant, ...], requests_per_minute: int = 0) -> str:
    """Make a key: 256 random bits, to be shown once; its SHA-256 is what is stored.

    Raises:
        InvalidRequest: the name is empty or longer than 80 letters, or the limit is none.
    """
    name = name.strip()
    if not 0 < len(name) <= _NAME_LETTERS_MAX:
        raise InvalidRequest(
            f"A key's name must have 1 to {_NAME_LETTERS_MAX} letters (got {len(name)}).", "Name the app that uses it."
        )
    if not 0 <= requests_per_minute <= _REQUESTS_MAX:
        raise InvalidRequest(
            f"A key's limit must be 0 to {_REQUESTS_MAX:,} requests a minute (got {requests_per_minute:,}).",
            "0 is the installation's usual limit.",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    now = work.clock.now()
    key = Key(new_id("key", now), name, secret[:_SHOWN_LETTERS], now, by.name, None, grants, requests_per_minute)
    limit = {"requests_per_minute": requests_per_minute} if requests_per_minute else {}
    given = [{"role": grant.role.value, "use_case": grant.use_case} for grant in grants]
    with work.database.writing() as connection:
        store.add(connection, key, hash_of(secret))
        record(connection, work, by, "make-key", name, {"key": key.id, "grants": given, **limit})
    return secret


def disable_key(work: Workspace, by: Principal, key_id: str) -> None:
    """The key opens nothing any more.

    Raises:
        NotFound: there is no such key.
    """
    with work.database.writing() as connection:
        key = store.find(connection, key_id)
        if key is None:
            raise NotFound(f"There is no key {key_id}.", "Look at the list of keys: pilotage key list.")
        if key.disabled_at is None:
            store.set_disabled(connection, key_id, work.clock.now())
            record(connection, work, by, "disable-key", key.name, {"key": key.id})


def every_key(work: Workspace) -> list[Key]:
    """All keys, newest first, also those that are disabled."""
    with work.database.reading() as connection:
        return store.every(connection)


def keys_of(work: Workspace, use_case: str) -> list[Key]:
    """Keys that open something of a use case, newest first, also those that are disabled."""
    return [key for key in every_key(work) if any(grant.use_case in (use_case, EVERY_USE_CASE) for grant in key.grants)]


def disable_key_of(work: Workspace, by: Principal, key_id: str, use_case: str) -> None:
    """The key opens nothing any more, if it is a key of this use case and of no other.

    Raises:
        NotFound: there is no such key of this use case.
        NotAllowed: other use cases rely on it, too.
    """
    key = next((key for key in keys_of(work, use_case) if key.id == key_id), None)
    if key is None:
        raise NotFound(f"There is no key {key_id} of {use_case}.", "Look at the list of keys.")
    if not is_only_of(key, use_case):
        raise NotAllowed(f"The key of {key.name} is not of {use_case} alone.", "Ask an admin to disable it.")
    disable_key(work, by, key_id)


def is_only_of(key: Key, use_case: str) -> bool:
    """Whether a key opens this use case and no other."""
    return all(grant.use_case == use_case for grant in key.grants)


def principal_of_key(work: Workspace, key: str) -> Principal | None:
    """Whose key this is; None when nobody's, or disabled."""
    wanted = hash_of(key)
    with work.database.reading() as connection:
        found = store.with_hash(connection, wanted)
    if found is None or not hmac.compare_digest(found[0], wanted):
        return None
    return _principal(found[1])


def all_keys(work: Workspace) -> dict[bytes, Principal]:
    """Every usable key's SHA-256 with its principal, to be held in memory where a query would be too slow."""
    with work.database.reading() as connection:
        return {key_hash: _principal(key) for key_hash, key in store.usable(connection)}


def hash_of(key: str) -> bytes:
    """SHA-256 of a key: enough, because a key is 256 random bits."""
    return hashlib.sha256(key.encode()).digest()


def _principal(key: Key) -> Principal:
    return Principal(key.id, key.name, "key", key.grants, key.requests_per_minute)
