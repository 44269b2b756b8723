"""People who come from an OpenID provider: made at their first log-in, their roles as their groups say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilotage.govern.flow.audit_log import record, take_turn
from pilotage.govern.flow.people import ADMIN, add_within, disable_within, found_person, is_only_admin, said, taken_by
from pilotage.govern.records import SUBJECT_LETTERS_MAX, SYSTEM, Grant, Person
from pilotage.govern.rules.groups import grants_of, groups_in, roles_by_group
from pilotage.govern.rules.names import is_name
from pilotage.govern.store import identities
from pilotage.govern.store import people as store
from pilotage.platform.errors import Conflict, InvalidRequest, NotAuthenticated
from pilotage.platform.workspace import Workspace


def arrived(work: Workspace, claims: Mapping[str, Any]) -> Person:
    """The person whom these claims name, with the roles that their groups give where groups give roles.

    A person of the same name who was not made by this provider stays somebody else.

    Raises:
        NotAuthenticated: the person was disabled here.
        Conflict: every name that the provider gives is taken, or none can be one.
    """
    issuer, subject = work.settings.oidc_issuer, str(claims["sub"])
    with work.database.writing() as connection:
        take_turn(connection)
        person_id = identities.person_id_of(connection, issuer, subject)
        if person_id is None:
            person = _made(connection, work, claims)
            identities.add(connection, issuer, subject, person.id)
        else:
            person = found_person(connection, person_id)
        if person.disabled_at is not None:
            raise NotAuthenticated("You were shut out here.", "Ask an admin.")
        return _with_roles(connection, work, person, claims)


def link(work: Workspace, person: Person, subject: str, in_place_of: str = "") -> None:
    """From now on the provider's subject is this person, who was made here before.

    ``in_place_of`` names who the subject was until now, such as the person whom their first log-in made beside this
    one: they are shut out.

    Raises:
        InvalidRequest: it cannot be a subject.
        Conflict: the subject is somebody else, the person has another subject of this provider, or is shut out.
    """
    issuer, subject = work.settings.oidc_issuer, subject.strip()
    if not subject.isprintable() or not 0 < len(subject) <= SUBJECT_LETTERS_MAX:
        limit = SUBJECT_LETTERS_MAX
        raise InvalidRequest(f"A subject has 1 to {limit} letters (got {len(subject)}).", "Copy `sub` of the ID token.")
    with work.database.writing() as connection:
        take_turn(connection)
        person = found_person(connection, person.id)
        before = _free_to_link(connection, person, issuer, subject, in_place_of)
        detail = {"issuer": issuer, "subject": subject}
        if before is None:
            identities.add(connection, issuer, subject, person.id)
        else:
            identities.give(connection, issuer, subject, person.id)
            disable_within(connection, work, SYSTEM, before)
            detail["in_place_of"] = before.name
        record(connection, work, SYSTEM, "link-person", person.name, detail)


def _free_to_link(
    connection: sa.Connection, person: Person, issuer: str, subject: str, in_place_of: str
) -> Person | None:
    """Whom the subject was and shall be no more; None where it was nobody."""
    if person.disabled_at is not None:
        raise Conflict(f"{person.name} is shut out here.", f"pilotage person enable {person.name} first.")
    known = identities.subject_of(connection, issuer, person.id)
    if known == subject:
        raise Conflict(f"{person.name} comes in as {subject} already.", "There is nothing to do.")
    if known is not None:
        raise Conflict(
            f"{person.name} comes in as {known} of {issuer}: two subjects are two people, whatever they are called.",
            "Give the other one an account of their own: pilotage person add, or their first log-in.",
        )
    holder = identities.person_id_of(connection, issuer, subject)
    before = None if holder is None else found_person(connection, holder)
    if before is not None and before.name != in_place_of:
        raise Conflict(
            f"{subject} of {issuer} comes in as {before.name} here.",
            f"To make them {person.name} and shut {before.name} out, say --in-place-of '{before.name}'.",
        )
    if before is None and in_place_of:
        raise Conflict(f"{subject} of {issuer} is not {in_place_of} here, but nobody.", "Leave --in-place-of out.")
    return before


def _made(connection: sa.Connection, work: Workspace, claims: Mapping[str, Any]) -> Person:
    given = [claims.get(claim) for claim in (work.settings.oidc_name_claim, "email", "sub") if _counts(claims, claim)]
    names = [name for name in given if isinstance(name, str) and is_name(name)]
    free = next((name for name in names if taken_by(connection, name) is None), None)
    if free is None:
        raise Conflict(
            "There is somebody else of your name here." if names else "The provider gives no name that can be used.",
            "Ask who runs Pilotage: pilotage person link NAME SUBJECT.",
        )
    return add_within(connection, work, SYSTEM, free, "", ())


def _counts(claims: Mapping[str, Any], claim: str) -> bool:
    """Whether somebody may be called by a claim: an e-mail address only if the provider verified it."""
    return claim != "email" or claims.get("email_verified") in (True, "true")


def _with_roles(connection: sa.Connection, work: Workspace, person: Person, claims: Mapping[str, Any]) -> Person:
    if not work.settings.oidc_roles:
        return person
    groups = groups_in(claims.get(work.settings.oidc_groups_claim))
    wanted = grants_of(groups, roles_by_group(work.settings.oidc_roles))
    had = frozenset(person.grants)
    if ADMIN in had - wanted and is_only_admin(connection, person):
        wanted |= {ADMIN}  # somebody must be left to govern
    if wanted == had:
        return person
    for grant in _ordered(wanted - had):
        store.give(connection, person.id, grant)
        record(connection, work, SYSTEM, "give-role", person.name, {**said(grant), "by": "OpenID provider"})
    for grant in _ordered(had - wanted):
        store.take(connection, person.id, grant)
        record(connection, work, SYSTEM, "take-role", person.name, {**said(grant), "by": "OpenID provider"})
    store.close_sessions(connection, person.id)
    return found_person(connection, person.id)


def _ordered(grants: frozenset[Grant]) -> list[Grant]:
    return sorted(grants, key=lambda grant: (grant.role.value, grant.use_case))
