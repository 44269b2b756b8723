"""Commands about people on the host, where the operating system decides who may."""

from __future__ import annotations

from typing import Any

from pilotage.govern import flow
from pilotage.govern.flow import arriving, provider, second_factor
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Person, Role
from pilotage.govern.store import people, second_factors
from pilotage.platform.errors import SettingsError
from pilotage.platform.instants import iso
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def add(name: str, *, role: Role = Role.VIEWER, use_case: str = EVERY_USE_CASE, json: bool = False) -> None:
    """Add a person who may log in; prints the generated password this once."""
    terminal, grant = Terminal(json), Grant(role, use_case)
    flow.demand_fitting(grant)
    with opened() as work:
        password = flow.add_person(work, SYSTEM, name, (grant,))
    if not json:
        terminal.say(f"{name} can log in with this password, shown this once: {password}")
    terminal.document({"name": name, "password": password})
    terminal.next("pilotage serve")


def list_(*, json: bool = False) -> None:
    """List the people, their roles, and who has a second factor."""
    terminal = Terminal(json)
    with opened() as work, work.database.reading() as connection:
        everybody, secured = people.everybody(connection), second_factors.confirmed(connection)
    terminal.document([_said(each, each.id in secured) for each in everybody])
    rows = [
        [each.name, _roles(each), "yes" if each.id in secured else "", "disabled" if each.disabled_at else ""]
        for each in everybody
    ]
    terminal.table("People", ["name", "roles", "second factor", ""], rows)
    terminal.next("pilotage person give NAME --role ROLE --use-case USE_CASE")


def give(name: str, *, role: Role, use_case: str = EVERY_USE_CASE, json: bool = False) -> None:
    """Give a person one more role; their sessions end."""
    grant = Grant(role, use_case)
    flow.demand_fitting(grant)
    with opened() as work:
        flow.give_role(work, SYSTEM, flow.person_named(work, name).id, grant)
    _done(Terminal(json), name, f"{name} is {_word(grant)} now.")


def take(name: str, *, role: Role, use_case: str = EVERY_USE_CASE, json: bool = False) -> None:
    """Take a role from a person; their sessions end."""
    grant = Grant(role, use_case)
    with opened() as work:
        flow.take_role(work, SYSTEM, flow.person_named(work, name).id, grant)
    _done(Terminal(json), name, f"{name} is not {_word(grant)} any more.")


def disable(name: str, *, json: bool = False) -> None:
    """Shut a person out at once; what they did stays on record."""
    with opened() as work:
        flow.disable_person(work, SYSTEM, flow.person_named(work, name).id)
    _done(Terminal(json), name, f"{name} is shut out.")


def enable(name: str, *, json: bool = False) -> None:
    """Let a person in again who was shut out, with the roles that they had."""
    with opened() as work:
        person = flow.person_named(work, name)
        flow.enable_person(work, SYSTEM, person.id)
    roles = _roles(person) or "nothing yet"
    _done(Terminal(json), name, f"{name} may log in again, as {roles}.")


def reset_password(name: str, *, json: bool = False) -> None:
    """Give a person a new password, printed this once; their sessions end."""
    terminal = Terminal(json)
    with opened() as work:
        password = flow.reset_password(work, SYSTEM, flow.person_named(work, name).id)
    if not json:
        terminal.say(f"{name} can log in with this password, shown this once: {password}")
    terminal.document({"name": name, "password": password})


def reset_second_factor(name: str, *, json: bool = False) -> None:
    """Forget a person's second factor, where phone and recovery codes are lost; their sessions end."""
    with opened() as work:
        second_factor.reset(work, SYSTEM, flow.person_named(work, name).id)
    _done(Terminal(json), name, f"{name} logs in without a code, or sets a new one up where it is demanded.")


def link(name: str, subject: str, *, in_place_of: str = "", json: bool = False) -> None:
    """Let a person who was added here come in by the OpenID provider, which calls them by this subject.

    Parameters
    ----------
    name
        The person here.
    subject
        What the provider calls them: `sub` of the ID token.
    in_place_of
        Who came in by this subject until now; they are shut out.
    json
        Print JSON.
    """
    with opened() as work:
        if not provider.is_configured(work.settings):
            raise SettingsError("PILOTAGE_OIDC_ISSUER is not set.", "Set it as for pilotage serve.")
        arriving.link(work, flow.person_named(work, name), subject, in_place_of)
    _done(Terminal(json), name, f"{subject} of the OpenID provider is {name} here.")


def _done(terminal: Terminal, name: str, sentence: str) -> None:
    terminal.say(sentence)
    terminal.document({"name": name})


def _said(person: Person, is_secured: bool) -> dict[str, Any]:
    return {
        "name": person.name,
        "grants": person.grants,
        "second_factor": is_secured,
        "disabled_at": iso(person.disabled_at) if person.disabled_at else None,
    }


def _roles(person: Person) -> str:
    return ", ".join(map(_word, person.grants))


def _word(grant: Grant) -> str:
    return grant.role.value + (f" of {grant.use_case}" if grant.use_case != EVERY_USE_CASE else "")
