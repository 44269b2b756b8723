"""Adds people, gives and takes roles, shuts people out. Each change is in the audit log; no password ever is."""

from __future__ import annotations

import re
import secrets

import sqlalchemy as sa

from pilotage.govern.flow.audit_log import record
from pilotage.govern.flow.passwords import hash_of
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Permission, Person, Principal, Role
from pilotage.govern.rules.permissions import allowed
from pilotage.govern.store import people as store
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace

ADMIN = Grant(Role.ADMIN, EVERY_USE_CASE)
_NAME = re.compile(r"[\w][\w .@-]{0,78}[\w]")
_PASSWORD_BYTES = 18  # 24 letters, 144 bits


def first_start(work: Workspace) -> tuple[str, str] | None:
    """Make the person "admin" when there is nobody yet: name and password, to be shown once; None later."""
    with work.database.reading() as connection:
        if not store.is_empty(connection):
            return None
    name, password = "admin", secrets.token_urlsafe(_PASSWORD_BYTES)
    password_hash = hash_of(password)
    with work.database.writing() as connection:
        if not store.is_empty(connection):
            return None
        _add(connection, work, SYSTEM, name, password_hash, (ADMIN,))
    return name, password


def add_person(work: Workspace, by: Principal, name: str, grants: tuple[Grant, ...]) -> str:
    """Add a person; the generated password, to be shown once.

    Raises:
        InvalidRequest: the name cannot be one.
        Conflict: somebody has that name.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"A person's name must have 2 to 80 letters, digits, spaces or . @ - _ (got {len(name)} characters).",
            "Choose the name that the person will log in with.",
        )
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    password_hash = hash_of(password)
    with work.database.writing() as connection:
        if store.named(connection, name) is not None:
            raise Conflict(f"There is a person named {name} already.", "Choose another name.")
        _add(connection, work, by, name, password_hash, grants)
    return password


def who_may(work: Workspace, permission: Permission, use_case: str) -> list[Person]:
    """The people who are not disabled and have a permission for a use case."""
    with work.database.reading() as connection:
        everybody = store.everybody(connection)
    return [each for each in everybody if each.disabled_at is None and allowed(_principal(each), permission, use_case)]


def give_role(work: Workspace, by: Principal, person_id: str, grant: Grant) -> None:
    """Give a person one more role."""
    with work.database.writing() as connection:
        person = _found(connection, person_id)
        if store.give(connection, person_id, grant):
            record(connection, work, by, "give-role", person.name, _said(grant))


def take_role(work: Workspace, by: Principal, person_id: str, grant: Grant) -> None:
    """Take a role from a person.

    Raises:
        Conflict: nobody would be left to govern.
    """
    with work.database.writing() as connection:
        person = _found(connection, person_id)
        if grant == ADMIN:
            _demand_another_admin(connection, person)
        if store.take(connection, person_id, grant):
            record(connection, work, by, "take-role", person.name, _said(grant))


def disable_person(work: Workspace, by: Principal, person_id: str) -> None:
    """Shut a person out at once; what they did stays on record.

    Raises:
        Conflict: nobody would be left to govern.
    """
    with work.database.writing() as connection:
        person = _found(connection, person_id)
        if person.disabled_at is not None:
            return
        _demand_another_admin(connection, person)
        store.set_disabled(connection, person_id, work.clock.now())
        record(connection, work, by, "disable-person", person.name, {})


def _add(
    connection: sa.Connection,
    work: Workspace,
    by: Principal,
    name: str,
    password_hash: str,
    grants: tuple[Grant, ...],
) -> None:
    now = work.clock.now()
    store.add(connection, Person(new_id("per", now), name, now, None, grants), password_hash)
    record(connection, work, by, "add-person", name, {"grants": [_said(grant) for grant in grants]})


def _found(connection: sa.Connection, person_id: str) -> Person:
    person = store.find(connection, person_id)
    if person is None:
        raise NotFound(f"There is no person {person_id}.", "Look at the list of people.")
    return person


def _demand_another_admin(connection: sa.Connection, person: Person) -> None:
    if ADMIN not in person.grants:
        return
    everybody = store.everybody(connection)
    if not any(ADMIN in other.grants and other.disabled_at is None and other.id != person.id for other in everybody):
        raise Conflict(f"{person.name} is the only admin.", "Make somebody else an admin first.")


def _principal(person: Person) -> Principal:
    return Principal(id=person.id, name=person.name, kind="person", grants=person.grants)


def _said(grant: Grant) -> dict[str, str]:
    return {"role": grant.role.value, "use_case": grant.use_case}
