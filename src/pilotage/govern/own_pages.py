"""What is one's own: roles, password, second factor, and where one is logged in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from pilotage.govern import flow
from pilotage.govern.cookies import SESSION, session_cookie
from pilotage.govern.flow import second_factor
from pilotage.govern.flow.people import found_person, has_password
from pilotage.govern.flow.sessions import check_password, open_session
from pilotage.govern.guards import a_person, principal_of
from pilotage.govern.log_in_pages import FirstCodeForm, drawn_code
from pilotage.govern.records import EVERY_USE_CASE, Principal
from pilotage.govern.rules.agents import browser_of
from pilotage.govern.rules.passwords import LETTERS_MIN
from pilotage.platform.errors import InvalidRequest, NotAllowed, NotAuthenticated, PilotageError
from pilotage.platform.workspace import Workspace

AnyRequest = Request[Any, Any, Any]
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
_PERSON = [a_person()]


class NewPassword(msgspec.Struct):
    """The form for a new password."""

    old: str = ""
    new: str = ""


class PasswordForm(msgspec.Struct):
    """One's password, where something needs it once more."""

    password: str = ""


@get("/me", guards=_PERSON, sync_to_thread=True)
def own_page(request: AnyRequest, work: Workspace, done: str = "") -> Template:
    """Roles, password, second factor, sessions."""
    return _own(request, work, done=done)


@post("/me/password", guards=_PERSON, sync_to_thread=True, status_code=200)
def change_password(request: AnyRequest, work: Workspace, data: Annotated[NewPassword, _FORM]) -> Redirect | Template:
    """Set a new password. All sessions end; this browser gets a new one."""
    who = principal_of(request)
    try:
        flow.change_password(work, who, data.old, data.new)
    except (InvalidRequest, NotAllowed, NotAuthenticated) as error:
        return _own(request, work, error)
    return _again(request, work, who, "password")


@post("/me/sessions/end-others", guards=_PERSON, sync_to_thread=True)
def end_others(request: AnyRequest, work: Workspace) -> Redirect:
    """End all of one's sessions but this one."""
    flow.end_others(work, principal_of(request), request.cookies.get(SESSION, ""))
    return Redirect("/me?done=sessions", status_code=303)


@post("/me/second-factor", guards=_PERSON, sync_to_thread=True, status_code=200)
def begin_second_factor(request: AnyRequest, work: Workspace, data: Annotated[PasswordForm, _FORM]) -> Template:
    """Show a secret to set up, to whoever knows the password: an open session alone locks nobody out."""
    who = principal_of(request)
    try:
        check_password(work, who, data.password)
    except PilotageError as error:
        return _own(request, work, error)
    return _offer(request, work, "", None)


@post("/me/second-factor/confirm", guards=_PERSON, sync_to_thread=True, status_code=200)
def confirm_second_factor(
    request: AnyRequest, work: Workspace, data: Annotated[FirstCodeForm, _FORM]
) -> Redirect | Template:
    """Set it up with its first code; shows the recovery codes this once."""
    who = principal_of(request)
    try:
        token, drawn = second_factor.confirm(
            work, who, request.cookies.get(SESSION, ""), data.kept, data.code, request.headers.get("user-agent", "")
        )
    except NotAuthenticated as error:
        return _offer(request, work, data.kept, error)
    return _codes(drawn, [session_cookie(work, token)])


@post("/me/second-factor/recovery-codes", guards=_PERSON, sync_to_thread=True, status_code=200)
def make_recovery_codes(request: AnyRequest, work: Workspace, data: Annotated[PasswordForm, _FORM]) -> Template:
    """New recovery codes; shown this once."""
    try:
        return _codes(second_factor.new_recovery_codes(work, principal_of(request), data.password), [])
    except PilotageError as error:
        return _own(request, work, error)


@post("/me/second-factor/remove", guards=_PERSON, sync_to_thread=True, status_code=200)
def remove_second_factor(
    request: AnyRequest, work: Workspace, data: Annotated[PasswordForm, _FORM]
) -> Redirect | Template:
    """Do without."""
    who = principal_of(request)
    try:
        second_factor.remove(work, who, data.password)
    except PilotageError as error:
        return _own(request, work, error)
    return _again(request, work, who, "second-factor")


def _own(request: AnyRequest, work: Workspace, error: PilotageError | None = None, done: str = "") -> Template:
    who = principal_of(request)
    sessions = flow.own_sessions(work, who, request.cookies.get(SESSION, ""))
    context = {
        "page": {"active": "me"},
        "every": EVERY_USE_CASE,
        "sessions": [(each, browser_of(each.agent)) for each in sessions],
        "factor": second_factor.standing(work, who),
        "has_password": has_password(work, who),
        "letters_min": LETTERS_MIN,
        "error": error,
        "done": done,
    }
    status = 200 if error is None else 429 if error.status == 429 else 422
    return Template("govern/me.html", context=context, status_code=status)


def _offer(request: AnyRequest, work: Workspace, kept: str, error: PilotageError | None) -> Template:
    offered = second_factor.offer(work, principal_of(request), request.cookies.get(SESSION, ""), kept)
    context = {
        "page": {"active": "me"},
        "offered": offered,
        "drawn": drawn_code(offered.address),
        "action": "/me/second-factor/confirm",
        "next": "/me",
        "error": error,
        "is_demanded": False,
    }
    return Template("govern/enrolment.html", context=context, status_code=200 if error is None else error.status)


def _codes(drawn: list[str], cookies: list[Cookie]) -> Template:
    context = {"page": {"active": "me"}, "codes": drawn, "onward": "/me"}
    return Template("govern/recovery_codes.html", context=context, cookies=cookies)


def _again(request: AnyRequest, work: Workspace, who: Principal, done: str) -> Redirect:
    """Back to one's page, in a new session: all others have ended."""
    token = _new_session(request, work, who)
    return Redirect(f"/me?done={done}", status_code=303, cookies=[session_cookie(work, token)])


def _new_session(request: AnyRequest, work: Workspace, who: Principal) -> str:
    with work.database.reading() as connection:
        person = found_person(connection, who.id)
    return open_session(work, person, request.headers.get("user-agent", ""), how="change of one's own")


PAGES: list[Any] = [
    own_page,
    change_password,
    end_others,
    begin_second_factor,
    confirm_second_factor,
    make_recovery_codes,
    remove_second_factor,
]
