"""Adds people, gives and takes roles, sets passwords, shuts people out.

Each change is in the audit log, no password ever is, and each ends the person's sessions on every worker and replica:
sessions are rows, looked up with each request.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from pilotage.govern.flow.audit_log import record, take_turn
from pilotage.govern.flow.passwords import hash_of
from pilotage.govern.flow.sessions import check_password, principal_for
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Permission, Person, Principal, Role
from pilotage.govern.rules.names import fault_of, likeness
from pilotage.govern.rules.passwords import weakness
from pilotage.govern.rules.permissions import INSTALLATION_WIDE, ROLES, allowed
from pilotage.govern.store import people as store
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.instants import iso
from pilotage.platform.workspace import Workspace

ADMIN = Grant(Role.ADMIN, EVERY_USE_CASE)
_PASSWORD_BYTES = 18  # 24 letters, 144 bits


def first_start(work: Workspace) -> tuple[str, str] | None:
    """Make the person "admin" when there is nobody yet: name and password, to be shown once; None later."""
    with work.database.reading() as connection:
        if not store.is_empty(connection):
            return None
    name, password = "admin", secrets.token_urlsafe(_PASSWORD_BYTES)
    password_hash = hash_of(password)
    with work.database.writing() as connection:
        take_turn(connection)  # replicas may start at the same moment: one of them makes the log-in
        if not store.is_empty(connection):
            return None
        add_within(connection, work, SYSTEM, name, password_hash, (ADMIN,))
    return name, password


def add_person(work: Workspace, by: Principal, name: str, grants: tuple[Grant, ...]) -> str:
    """Add a person; the generated password, to be shown once.

    Raises:
        InvalidRequest: the name cannot be one.
        Conflict: somebody has that name, or one that would be taken for it.
    """
    fault = fault_of(name)
    if fault is not None:
        raise InvalidRequest(*fault)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    password_hash = hash_of(password)
    with work.database.writing() as connection:
        take_turn(connection)
        known = taken_by(connection, name)
        if known is not None:
            looks = "" if known == name else f": {name} would be taken for it"
            raise Conflict(f"There is a person named {known} already{looks}.", "Choose another name.")
        add_within(connection, work, by, name, password_hash, grants)
    return password


def taken_by(connection: sa.Connection, name: str) -> str | None:
    """The name of somebody that this one would be taken for, the same or alike; None where it is free."""
    wanted = likeness(name)
    return next((known for known in store.names(connection) if wanted & likeness(known)), None)


def who_may(work: Workspace, permission: Permission, use_case: str) -> list[Person]:
    """The people who are not disabled and have a permission for a use case."""
    with work.database.reading() as connection:
        everybody = store.everybody(connection)
    return [
        each for each in everybody if each.disabled_at is None and allowed(principal_for(each), permission, use_case)
    ]


def give_role(work: Workspace, by: Principal, person_id: str, grant: Grant) -> None:
    """Give a person one more role; their sessions end."""
    with work.database.writing() as connection:
        take_turn(connection)
        person = found_person(connection, person_id)
        if store.give(connection, person_id, grant):
            store.close_sessions(connection, person_id)
            record(connection, work, by, "give-role", person.name, said(grant))


def take_role(work: Workspace, by: Principal, person_id: str, grant: Grant) -> None:
    """Take a role from a person.

    Raises:
        Conflict: nobody would be left to govern.
    """
    with work.database.writing() as connection:
        take_turn(connection)
        person = found_person(connection, person_id)
        if grant == ADMIN:
            _demand_another_admin(connection, person)
        if store.take(connection, person_id, grant):
            store.close_sessions(connection, person_id)
            record(connection, work, by, "take-role", person.name, said(grant))


def disable_person(work: Workspace, by: Principal, person_id: str) -> None:
    """Shut a person out at once; what they did stays on record.

    Raises:
        Conflict: nobody would be left to govern.
    """
    with work.database.writing() as connection:
        take_turn(connection)
        disable_within(connection, work, by, found_person(connection, person_id))


def disable_within(connection: sa.Connection, work: Workspace, by: Principal, person: Person) -> None:
    """Shut a person out within the caller's write transaction; nothing to do where they are."""
    if person.disabled_at is not None:
        return
    _demand_another_admin(connection, person)
    store.set_disabled(connection, person.id, work.clock.now())
    record(connection, work, by, "disable-person", person.name, {})


def enable_person(work: Workspace, by: Principal, person_id: str) -> None:
    """Let a person in again who was shut out, with the roles that they had; their sessions stay ended."""
    with work.database.writing() as connection:
        take_turn(connection)
        person = found_person(connection, person_id)
        if person.disabled_at is None:
            return
        store.set_enabled(connection, person_id)
        detail = {"disabled_at": iso(person.disabled_at), "grants": [said(grant) for grant in person.grants]}
        record(connection, work, by, "enable-person", person.name, detail)


def change_password(work: Workspace, who: Principal, old: str, new: str) -> None:
    """Set one's own password; all of one's sessions end, this one too.

    Raises:
        InvalidRequest: the new one is short, common, or the old one.
        NotAllowed: the old one is not the person's password.
        Conflict: it was replaced at this moment.
    """
    if new == old:
        raise InvalidRequest("This is the password that you have.", "Choose another one.")
    if wrong := weakness(new, who.name):
        raise InvalidRequest(wrong, "Take some words that do not belong together, or let your browser make one.")
    seen = check_password(work, who, old)
    _set_password(work, who, who.id, new, "change-password", seen)


def reset_password(work: Workspace, by: Principal, person_id: str) -> str:
    """Give a person a new password, to be shown once; their sessions end."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    _set_password(work, by, person_id, password, "reset-password")
    return password


def has_password(work: Workspace, who: Principal) -> bool:
    """Whether somebody can log in with a password: not those whom a provider brought."""
    with work.database.reading() as connection:
        known = store.named(connection, who.name)
    return work.settings.password_log_in and known is not None and bool(known[1])


def person_named(work: Workspace, name: str) -> Person:
    """The person with this name.

    Raises:
        NotFound: there is none.
    """
    with work.database.reading() as connection:
        known = store.named(connection, name)
    if known is None:
        raise NotFound(f"There is no person named {name}.", "See pilotage person list.")
    return known[0]


def demand_fitting(grant: Grant) -> None:
    """Do nothing for a grant that makes sense.

    Raises:
        InvalidRequest: a role whose permissions are of the whole installation was meant for one use case.
    """
    if grant.use_case != EVERY_USE_CASE and ROLES[grant.role] & INSTALLATION_WIDE:
        raise InvalidRequest(
            f"The role {grant.role.value} is for the whole installation (got the use case {grant.use_case}).",
            f"Choose {EVERY_USE_CASE}, or another role.",
        )


def _set_password(
    work: Workspace, by: Principal, person_id: str, password: str, deed: str, seen: str | None = None
) -> None:
    """Replace a password; where ``seen`` is given, only the one of that hash."""
    password_hash = hash_of(password)
    with work.database.writing() as connection:
        take_turn(connection)
        person = found_person(connection, person_id)
        known = store.named(connection, person.name)
        if seen is not None and (known is None or known[1] != seen):
            raise Conflict("Your password was replaced meanwhile.", "Log in by the new one.")
        store.set_password(connection, person_id, password_hash)
        record(connection, work, by, deed, person.name, {})


def add_within(
    connection: sa.Connection,
    work: Workspace,
    by: Principal,
    name: str,
    password_hash: str,
    grants: tuple[Grant, ...],
) -> Person:
    """Add a person within the caller's write transaction; an empty ``password_hash`` is no password at all."""
    now = work.clock.now()
    person = Person(new_id("per", now), name, now, None, grants)
    store.add(connection, person, password_hash)
    record(connection, work, by, "add-person", name, {"grants": [said(grant) for grant in grants]})
    return person


def found_person(connection: sa.Connection, person_id: str) -> Person:
    """The person with this identifier.

    Raises:
        NotFound: there is none.
    """
    person = store.find(connection, person_id)
    if person is None:
        raise NotFound(f"There is no person {person_id}.", "Look at the list of people.")
    return person


def is_only_admin(connection: sa.Connection, person: Person) -> bool:
    """Whether nobody would govern people if this person did not."""
    everybody = store.everybody(connection)
    return ADMIN in person.grants and not any(
        ADMIN in other.grants and other.disabled_at is None and other.id != person.id for other in everybody
    )


def _demand_another_admin(connection: sa.Connection, person: Person) -> None:
    if is_only_admin(connection, person):
        raise Conflict(f"{person.name} is the only admin.", "Make somebody else an admin first.")


def said(grant: Grant) -> dict[str, str]:
    """A grant as the audit log says it."""
    return {"role": grant.role.value, "use_case": grant.use_case}
