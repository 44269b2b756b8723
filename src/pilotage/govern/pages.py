"""The pages of governing: people and keys, the audit log."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from pilotage.govern import flow
from pilotage.govern.flow import second_factor
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import EVERY_USE_CASE, AuditEntry, Grant, Permission, Role
from pilotage.govern.rules.entries import entry_of
from pilotage.govern.rules.permissions import ROLES
from pilotage.govern.store import audit_log, keys, people, second_factors
from pilotage.platform.workspace import Workspace

AnyRequest = Request[Any, Any, Any]
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
_ENTRIES_SHOWN = 100
_GOVERN = [needs(Permission.GOVERN)]


class NewPrincipal(msgspec.Struct):
    """The forms for a new person and a new key: what it may ask a minute, 0 for the usual, and whether to show the
    secret with which the app's server signs tokens of cards.
    """

    name: str
    role: Role
    use_case: str = EVERY_USE_CASE
    requests_per_minute: int = 0
    card_secret: bool = False


class GrantForm(msgspec.Struct):
    """The forms that give and take a role."""

    role: Role
    use_case: str = EVERY_USE_CASE


@get("/people", guards=_GOVERN, sync_to_thread=True)
def people_page(work: Workspace) -> Template:
    """People with their roles, and apps' keys."""
    return _people(work)


@post("/people", guards=_GOVERN, sync_to_thread=True, status_code=200)
def add_person(
    request: AnyRequest,
    work: Workspace,
    data: Annotated[NewPrincipal, _FORM],
) -> Template:
    """Add a person; shows the password this once."""
    name = data.name.strip()
    password = flow.add_person(work, principal_of(request), name, (_grant(data.role, data.use_case),))
    return _people(work, {"what": f"{name} can log in with this password", "secret": password})


@post("/people/{person_id:str}/give", guards=_GOVERN, sync_to_thread=True)
def give_role(
    request: AnyRequest,
    work: Workspace,
    person_id: str,
    data: Annotated[GrantForm, _FORM],
) -> Redirect:
    """Give a role."""
    flow.give_role(work, principal_of(request), person_id, _grant(data.role, data.use_case))
    return Redirect("/people", status_code=303)


@post("/people/{person_id:str}/take", guards=_GOVERN, sync_to_thread=True)
def take_role(
    request: AnyRequest,
    work: Workspace,
    person_id: str,
    data: Annotated[GrantForm, _FORM],
) -> Redirect:
    """Take a role."""
    flow.take_role(work, principal_of(request), person_id, Grant(data.role, data.use_case))
    return Redirect("/people", status_code=303)


@post("/people/{person_id:str}/disable", guards=_GOVERN, sync_to_thread=True)
def disable_person(request: AnyRequest, work: Workspace, person_id: str) -> Redirect:
    """Shut a person out."""
    flow.disable_person(work, principal_of(request), person_id)
    return Redirect("/people", status_code=303)


@post("/people/{person_id:str}/enable", guards=_GOVERN, sync_to_thread=True)
def enable_person(request: AnyRequest, work: Workspace, person_id: str) -> Redirect:
    """Let a person in again."""
    flow.enable_person(work, principal_of(request), person_id)
    return Redirect("/people", status_code=303)


@post("/people/{person_id:str}/reset-password", guards=_GOVERN, sync_to_thread=True, status_code=200)
def reset_password(request: AnyRequest, work: Workspace, person_id: str) -> Template:
    """Give a person a new password; shows it this once."""
    password = flow.reset_password(work, principal_of(request), person_id)
    return _people(work, {"what": "The person can log in with this password", "secret": password})


@post("/people/{person_id:str}/reset-second-factor", guards=_GOVERN, sync_to_thread=True)
def reset_second_factor(request: AnyRequest, work: Workspace, person_id: str) -> Redirect:
    """Forget a person's second factor."""
    second_factor.reset(work, principal_of(request), person_id)
    return Redirect("/people", status_code=303)


@post("/keys", guards=_GOVERN, sync_to_thread=True, status_code=200)
def make_key(
    request: AnyRequest,
    work: Workspace,
    data: Annotated[NewPrincipal, _FORM],
) -> Template:
    """Make a key; shows it this once, and its card secret where that is wanted."""
    grants, name = (_grant(data.role, data.use_case),), data.name.strip()
    secret = flow.make_key(work, principal_of(request), name, grants, data.requests_per_minute)
    shown = {"what": f"{name} sends this key", "secret": secret}
    made = flow.principal_of_key(work, secret) if data.card_secret else None
    if made is not None:
        shown["card_secret"] = flow.card_secret(work, made.id)
    return _people(work, shown)


@post("/keys/{key_id:str}/disable", guards=_GOVERN, sync_to_thread=True)
def disable_key(request: AnyRequest, work: Workspace, key_id: str) -> Redirect:
    """The key opens nothing any more."""
    flow.disable_key(work, principal_of(request), key_id)
    return Redirect("/people", status_code=303)


@get("/audit-log", guards=[needs(Permission.AUDIT)], sync_to_thread=True)
def audit_log_page(work: Workspace, use_case: str = "", action: str = "", before: int | None = None) -> Template:
    """The newest deeds, optionally of one use case or action."""
    return _audit_log(work, use_case=use_case, action=action, before=before)


@post("/audit-log/verify", guards=[needs(Permission.AUDIT)], sync_to_thread=True, status_code=200)
def verify_audit_log(work: Workspace) -> Template:
    """Recompute the whole log now, and say what was found."""
    return _audit_log(work, verification=flow.verify(work))


def _people(work: Workspace, shown_once: dict[str, str] | None = None) -> Template:
    with work.database.reading() as connection:
        everybody, every_key = people.everybody(connection), keys.every(connection)
        secured = second_factors.confirmed(connection)
    granted = [*(person.grants for person in everybody), *(key.grants for key in every_key)]
    named = {grant.use_case for grants in granted for grant in grants}
    context = {
        "page": {"active": "people"},
        "people": everybody,
        "keys": every_key,
        "signing": {key.id for key in every_key if any(Permission.EMBED in ROLES[each.role] for each in key.grants)},
        "secured": secured,
        "has_passwords": work.settings.password_log_in,
        "roles": {role.value: ", ".join(sorted(permissions)) for role, permissions in ROLES.items()},
        "use_cases": sorted(named - {EVERY_USE_CASE}),
        "every": EVERY_USE_CASE,
        "shown_once": shown_once,
    }
    return Template("govern/people.html", context=context)


def _audit_log(work: Workspace, verification: object = None, **wanted: Any) -> Template:
    use_case, action = wanted.get("use_case", ""), wanted.get("action", "")
    with work.database.reading() as connection:
        contents = audit_log.newest(connection, _ENTRIES_SHOWN + 1, wanted.get("before"), use_case, action)
        choices = {"actions": audit_log.actions(connection), "use_cases": audit_log.use_cases(connection)}
        last = audit_log.last_checkpoint(connection)
    shown = contents[:_ENTRIES_SHOWN]
    context = {
        "page": {"active": "audit-log"},
        "entries": [(number, *_readable(content)) for number, content in shown],
        "older": shown[-1][0] if len(contents) > _ENTRIES_SHOWN else None,
        "about": use_case,
        "action": action,
        "last": last,
        "verification": verification,
        **choices,
    }
    return Template("govern/audit_log.html", context=context)


def _readable(content: bytes) -> tuple[AuditEntry | None, str]:
    """An entry and its particulars; no entry but the bytes as they are when somebody changed them."""
    try:
        entry = entry_of(content)
    except msgspec.MsgspecError:
        return None, content.decode(errors="replace")
    if not entry.detail:
        return entry, ""
    return entry, msgspec.json.format(msgspec.json.encode(entry.detail), indent=2).decode()


def _grant(role: Role, use_case: str) -> Grant:
    """A grant as typed into a form."""
    grant = Grant(role, use_case.strip() or EVERY_USE_CASE)
    flow.demand_fitting(grant)
    return grant


PAGES: list[Any] = [
    people_page,
    add_person,
    give_role,
    take_role,
    disable_person,
    enable_person,
    reset_password,
    reset_second_factor,
    make_key,
    disable_key,
    audit_log_page,
    verify_audit_log,
]
