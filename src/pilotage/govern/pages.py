"""The pages of governing: log-in, people and keys, the audit log."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from pilotage.govern import flow
from pilotage.govern.cookies import SESSION, session_cookie
from pilotage.govern.guards import needs, principal_of, public
from pilotage.govern.records import EVERY_USE_CASE, AuditEntry, Grant, Permission, Role
from pilotage.govern.rules.addresses import local_path
from pilotage.govern.rules.entries import entry_of
from pilotage.govern.rules.permissions import ROLES
from pilotage.govern.store import audit_log, keys, people
from pilotage.platform.errors import InvalidRequest, NotAuthenticated
from pilotage.platform.workspace import Workspace

AnyRequest = Request[Any, Any, Any]
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
_ENTRIES_SHOWN = 100


class LogIn(msgspec.Struct):
    """The log-in form."""

    name: str = ""
    password: str = ""
    next: str = "/"


class NewPrincipal(msgspec.Struct):
    """The forms for a new person and a new key; what a key may ask a minute, 0 for the usual."""

    name: str
    role: Role
    use_case: str = EVERY_USE_CASE
    requests_per_minute: int = 0


class GrantForm(msgspec.Struct):
    """The forms that give and take a role."""

    role: Role
    use_case: str = EVERY_USE_CASE


@get("/log-in", guards=[public("strangers log in here")], sync_to_thread=True)
def log_in_page(request: AnyRequest) -> Template:
    """The log-in form."""
    return _log_in_form(request.query_params.get("next"), "", None)


@post("/log-in", guards=[public("strangers log in here")], sync_to_thread=True, status_code=200)
def log_in(work: Workspace, data: Annotated[LogIn, _FORM]) -> Redirect | Template:
    """Open a session and go where the person wanted to."""
    try:
        token = flow.log_in(work, data.name.strip(), data.password)
    except NotAuthenticated as error:
        return _log_in_form(data.next, data.name, error)
    return Redirect(local_path(data.next), status_code=303, cookies=[session_cookie(work, token)])


@post("/log-out", guards=[public("ends the session that is sent along, whoever sends it")], sync_to_thread=True)
def log_out(request: AnyRequest, work: Workspace) -> Redirect:
    """Close the session."""
    if token := request.cookies.get(SESSION):
        flow.log_out(work, token)
    response = Redirect("/log-in", status_code=303)
    response.delete_cookie(SESSION)
    return response


@get("/people", guards=[needs(Permission.GOVERN)], sync_to_thread=True)
def people_page(work: Workspace) -> Template:
    """People with their roles, and apps' keys."""
    return _people(work)


@post("/people", guards=[needs(Permission.GOVERN)], sync_to_thread=True, status_code=200)
def add_person(
    request: AnyRequest,
    work: Workspace,
    data: Annotated[NewPrincipal, _FORM],
) -> Template:
    """Add a person; shows the password this once."""
    name = data.name.strip()
    password = flow.add_person(work, principal_of(request), name, (_grant(data.role, data.use_case),))
    return _people(work, {"what": f"{name} can log in with this password", "secret": password})


@post("/people/{person_id:str}/give", guards=[needs(Permission.GOVERN)], sync_to_thread=True)
def give_role(
    request: AnyRequest,
    work: Workspace,
    person_id: str,
    data: Annotated[GrantForm, _FORM],
) -> Redirect:
    """Give a role."""
    flow.give_role(work, principal_of(request), person_id, _grant(data.role, data.use_case))
    return Redirect("/people", status_code=303)


@post("/people/{person_id:str}/take", guards=[needs(Permission.GOVERN)], sync_to_thread=True)
def take_role(
    request: AnyRequest,
    work: Workspace,
    person_id: str,
    data: Annotated[GrantForm, _FORM],
) -> Redirect:
    """Take a role."""
    flow.take_role(work, principal_of(request), person_id, Grant(data.role, data.use_case))
    return Redirect("/people", status_code=303)


@post("/people/{person_id:str}/disable", guards=[needs(Permission.GOVERN)], sync_to_thread=True)
def disable_person(request: AnyRequest, work: Workspace, person_id: str) -> Redirect:
    """Shut a person out."""
    flow.disable_person(work, principal_of(request), person_id)
    return Redirect("/people", status_code=303)


@post("/keys", guards=[needs(Permission.GOVERN)], sync_to_thread=True, status_code=200)
def make_key(
    request: AnyRequest,
    work: Workspace,
    data: Annotated[NewPrincipal, _FORM],
) -> Template:
    """Make a key; shows it this once."""
    grants = (_grant(data.role, data.use_case),)
    secret = flow.make_key(work, principal_of(request), data.name, grants, data.requests_per_minute)
    return _people(work, {"what": f"{data.name.strip()} sends this key", "secret": secret})


@post("/keys/{key_id:str}/disable", guards=[needs(Permission.GOVERN)], sync_to_thread=True)
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


def _log_in_form(wanted: str | None, name: str, error: NotAuthenticated | None) -> Template:
    context = {"page": {"active": ""}, "next": local_path(wanted), "name": name, "error": error}
    return Template("govern/log_in.html", context=context, status_code=200 if error is None else error.status)


def _people(work: Workspace, shown_once: dict[str, str] | None = None) -> Template:
    with work.database.reading() as connection:
        everybody, every_key = people.everybody(connection), keys.every(connection)
    granted = [*(person.grants for person in everybody), *(key.grants for key in every_key)]
    named = {grant.use_case for grants in granted for grant in grants}
    context = {
        "page": {"active": "people"},
        "people": everybody,
        "keys": every_key,
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
    """A grant as typed into a form.

    Raises:
        InvalidRequest: a permission of the whole installation was asked for within one use case.
    """
    use_case = use_case.strip() or EVERY_USE_CASE
    if role in {Role.ADMIN, Role.AUDITOR} and use_case != EVERY_USE_CASE:
        raise InvalidRequest(
            f"The role {role.value} is for the whole installation (got the use case {use_case}).",
            f"Choose {EVERY_USE_CASE}, or another role.",
        )
    return Grant(role, use_case)


PAGES: list[Any] = [
    log_in_page,
    log_in,
    log_out,
    people_page,
    add_person,
    give_role,
    take_role,
    disable_person,
    make_key,
    disable_key,
    audit_log_page,
    verify_audit_log,
]
