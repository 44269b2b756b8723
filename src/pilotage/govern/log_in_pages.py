"""The pages by which people come in and go: password, second factor, OpenID provider."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import segno
from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from pilotage.govern import flow
from pilotage.govern.cookies import PROVIDER, SESSION, provider_cookie, session_cookie
from pilotage.govern.flow import provider, second_factor
from pilotage.govern.flow.sessions import principal_for, took_too_long
from pilotage.govern.guards import public
from pilotage.govern.rules import callers
from pilotage.govern.rules.addresses import local_path
from pilotage.platform.errors import NotAuthenticated, PilotageError, Unavailable
from pilotage.platform.workspace import Workspace

AnyRequest = Request[Any, Any, Any]
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
_STRANGERS = [public("strangers log in here")]
_HALFWAY = [public("finishes the log-in whose cookie is sent along")]


class LogIn(msgspec.Struct):
    """The log-in form."""

    name: str = ""
    password: str = ""
    next: str = "/"


class CodeForm(msgspec.Struct):
    """A code, typed."""

    code: str = ""
    next: str = "/"


class FirstCodeForm(CodeForm):
    """The first code of a second factor, and the sealed secret that it was offered with."""

    kept: str = ""


@get("/log-in", guards=_STRANGERS, sync_to_thread=True)
def log_in_page(request: AnyRequest, work: Workspace) -> Template:
    """The log-in form."""
    return _log_in_form(work, request.query_params.get("next"), "", None)


@post("/log-in", guards=_STRANGERS, sync_to_thread=True, status_code=200)
def log_in(request: AnyRequest, work: Workspace, data: Annotated[LogIn, _FORM]) -> Redirect | Template:
    """Open a session and go where the person wanted to, or to the second factor."""
    try:
        token = flow.log_in(work, data.name.strip(), data.password, _agent(request), _address(request, work))
    except NotAuthenticated as error:
        return _log_in_form(work, data.next, data.name, error)
    waits = flow.waiting(work, token)
    if waits is None:
        return Redirect(local_path(data.next), status_code=303, cookies=[session_cookie(work, token)])
    place = "/log-in/code" if waits[1] == "code" else "/log-in/second-factor"
    return Redirect(
        place, status_code=303, cookies=[session_cookie(work, token)], query_params={"next": local_path(data.next)}
    )


@post("/log-out", guards=[public("ends the session that is sent along, whoever sends it")], sync_to_thread=True)
def log_out(request: AnyRequest, work: Workspace) -> Redirect:
    """Close the session."""
    if token := request.cookies.get(SESSION):
        flow.log_out(work, token)
    response = Redirect("/log-in", status_code=303)
    response.delete_cookie(SESSION)
    return response


@get("/log-in/code", guards=_HALFWAY, sync_to_thread=True)
def code_page(request: AnyRequest, work: Workspace) -> Redirect | Template:
    """The form for the code."""
    if _waits(request, work) != "code":
        return Redirect("/log-in", status_code=303)
    return _code_form(request.query_params.get("next"), None)


@post("/log-in/code", guards=_HALFWAY, sync_to_thread=True, status_code=200)
def send_code(request: AnyRequest, work: Workspace, data: Annotated[CodeForm, _FORM]) -> Redirect | Template:
    """Finish a log-in with a code of the app, or a recovery code."""
    if _waits(request, work) != "code":
        return Redirect("/log-in", status_code=303)
    try:
        token = second_factor.pass_code(
            work, request.cookies[SESSION], data.code, _agent(request), _address(request, work)
        )
    except NotAuthenticated as error:
        return _code_form(data.next, error)
    return Redirect(local_path(data.next), status_code=303, cookies=[session_cookie(work, token)])


@get("/log-in/second-factor", guards=_HALFWAY, sync_to_thread=True)
def enrolment_page(request: AnyRequest, work: Workspace) -> Redirect | Template:
    """Sets up the second factor that the person's roles demand."""
    if _waits(request, work) != "enrolment":
        return Redirect("/log-in", status_code=303)
    return _enrolment_form(request, work, None)


@post("/log-in/second-factor", guards=_HALFWAY, sync_to_thread=True, status_code=200)
def enrol(request: AnyRequest, work: Workspace, data: Annotated[FirstCodeForm, _FORM]) -> Redirect | Template:
    """Finish setting up; shows the recovery codes this once."""
    if _waits(request, work) != "enrolment":
        return Redirect("/log-in", status_code=303)
    try:
        token, drawn = second_factor.finish_enrolment(
            work, request.cookies[SESSION], data.kept, data.code, _agent(request)
        )
    except NotAuthenticated as error:
        return _enrolment_form(request, work, error, data.kept)
    context = {"page": {"active": ""}, "codes": drawn, "onward": local_path(data.next)}
    return Template("govern/recovery_codes.html", context=context, cookies=[session_cookie(work, token)])


@get("/log-in/provider", guards=_STRANGERS, sync_to_thread=True)
def to_provider(request: AnyRequest, work: Workspace) -> Redirect | Template:
    """Send the browser to the OpenID provider."""
    if not provider.is_configured(work.settings):
        return Redirect("/log-in", status_code=303)
    wanted = local_path(request.query_params.get("next"))
    try:
        address, kept = provider.begin(work, wanted)
    except PilotageError as error:
        return _log_in_form(work, wanted, "", error)
    return Redirect(address, status_code=303, cookies=[provider_cookie(work, kept, provider.MINUTES_MAX)])


@get(provider.BACK, guards=[public("the OpenID provider sends people back here")], sync_to_thread=True)
def from_provider(request: AnyRequest, work: Workspace) -> Redirect | Template:
    """Open a session for whom the provider names."""
    kept = request.cookies.get(PROVIDER, "")
    if not provider.is_configured(work.settings) or not kept:
        return Redirect("/log-in", status_code=303)
    try:
        token = provider.come_back(work, kept, dict(request.query_params), _agent(request))
    except PilotageError as error:
        return _log_in_form(work, provider.wanted_in(kept), "", error)
    response = Redirect(local_path(provider.wanted_in(kept)), status_code=303, cookies=[session_cookie(work, token)])
    response.delete_cookie(PROVIDER, path="/log-in")
    return response


def drawn_code(address: str) -> str:
    """A QR code as SVG, dark on white, whatever the page's colours: cameras want it so."""
    return segno.make(address, micro=False).svg_inline(scale=5, dark="#000", light="#fff", omitsize=True)


def _waits(request: AnyRequest, work: Workspace) -> str:
    found = flow.waiting(work, request.cookies.get(SESSION, ""))
    return "" if found is None else found[1]


def _agent(request: AnyRequest) -> str:
    return request.headers.get("user-agent", "")


def _address(request: AnyRequest, work: Workspace) -> str:
    """Where the request comes from, as far as it is known."""
    settings, client = work.settings, request.scope.get("client")
    forwarded = [each for line in request.headers.getall("x-forwarded-for", []) for each in line.split(",")]
    trusted = callers.proxies(settings.trusted_proxies)
    return callers.caller_of(client[0] if client else "", forwarded, trusted, bool(settings.public_url))


def _log_in_form(work: Workspace, wanted: str | None, name: str, error: PilotageError | None) -> Template:
    context = {
        "page": {"active": ""},
        "next": local_path(wanted),
        "name": name,
        "error": error,
        "has_passwords": work.settings.password_log_in,
        "has_provider": provider.is_configured(work.settings),
    }
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
    status = 200 if error is None else error.status
    return Template("govern/log_in.html", context=context, status_code=status, headers=headers)


def _code_form(wanted: str | None, error: PilotageError | None) -> Template:
    context = {"page": {"active": ""}, "next": local_path(wanted), "error": error}
    return Template("govern/code.html", context=context, status_code=200 if error is None else error.status)


def _enrolment_form(request: AnyRequest, work: Workspace, error: PilotageError | None, kept: str = "") -> Template:
    token = request.cookies.get(SESSION, "")
    found = flow.waiting(work, token)
    if found is None:
        raise took_too_long()
    offered = second_factor.offer(work, principal_for(found[0]), token, kept)
    context = {
        "page": {"active": ""},
        "offered": offered,
        "drawn": drawn_code(offered.address),
        "action": "/log-in/second-factor",
        "next": local_path(request.query_params.get("next")),
        "error": error,
        "is_demanded": True,
    }
    return Template("govern/enrolment.html", context=context, status_code=200 if error is None else error.status)


PAGES: list[Any] = [
    log_in_page,
    log_in,
    log_out,
    code_page,
    send_code,
    enrolment_page,
    enrol,
    to_provider,
    from_provider,
]
