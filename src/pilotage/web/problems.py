"""Translates errors once: problem details (RFC 9457) under ``/v1``, a page elsewhere, the log-in for strangers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, PermissionDeniedException, ValidationException
from litestar.response import Redirect, Template
from pysqlite3 import SQLITE_ERROR
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from pilotage.decisions.flags import api as flags
from pilotage.decisions.inference import api as inference
from pilotage.govern.cookies import CSRF
from pilotage.govern.flow.limits import LimitReached
from pilotage.platform.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PilotageError,
    Problem,
    Unavailable,
)
from pilotage.platform.logs import without_secrets
from pilotage.platform.problems import MEDIA_TYPE, problem_details
from pilotage.web.authentication import API

LOG_IN = "/log-in"
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError, NoConnectionFree)
"""What the control database says when it is away, busy or read-only."""
_LOG = structlog.get_logger("pilotage.web")

AnyRequest = Request[Any, Any, Any]


def on_pilotage_error(request: AnyRequest, error: PilotageError) -> Response[Any]:
    """An error that the caller can understand and repair."""
    if isinstance(error, NotAuthenticated) and error.status == 401 and not _is_for_programs(request):
        return Redirect(f"{LOG_IN}?next={quote(_wanted(request))}", status_code=303)
    return _answer(request, error)


def on_http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """An error that Litestar raised: a wrong path, method, body or parameter."""
    answer = _answer(request, _translated(request, error), error.headers)
    if isinstance(error, PermissionDeniedException) and CSRF in request.cookies:
        answer.delete_cookie(CSRF)  # one signed with a secret that is gone would be refused for ever
    return answer


def on_defect(request: AnyRequest, error: Exception) -> Response[Any]:
    """A mistake of ours: recorded with an id that the caller is told; what went wrong stays inside."""
    identifier = secrets.token_hex(6)
    route = request.scope.get("path_template", "")  # not the path: anything can stand there
    _LOG.error("unexpected error", id=identifier, method=request.method, route=route, exc_info=error)
    return _answer(
        request,
        PilotageError(
            f"Something went wrong on our side. Its number is {identifier}.", "Tell it to who runs Pilotage."
        ),
    )


def on_database_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """The control database does not answer: who runs Pilotage is told how to switch off without it."""
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlite_errorcode", None) == SQLITE_ERROR:
        return on_defect(request, error)  # it answers, and what it was asked is wrong
    route = request.scope.get("path_template", "")
    _LOG.error("control_database_away", error=type(error).__name__, method=request.method, route=route)
    if _is_for_programs(request):
        said = "The control database does not answer. Decisions are answered as before; this needs the database."
        return _answer(request, DatabaseUnavailable(said, "Try again when it is back."))
    said = "People cannot be recognised, and nothing can be looked at or changed here. Apps are answered as before."
    return _answer(request, DatabaseUnavailable(said, _switching_off(request)))


def _switching_off(request: AnyRequest) -> str:
    named = str(request.scope.get("path_params", {}).get("use_case", ""))
    use_case = named if re.fullmatch(r"[a-z][a-z0-9_]{0,63}", named, re.ASCII) else "NAME"
    return (
        "To switch a model off now, type this on each host of Pilotage, as the server's user and with its settings: "
        f"`pilotage disable {use_case} --reason …`"
    )


def _translated(request: AnyRequest, error: HTTPException) -> PilotageError:
    if isinstance(error, ValidationException):
        extra = error.extra if isinstance(error.extra, list) else []
        problems = [Problem(str(one.get("key", "body")), str(one.get("message", ""))) for one in extra]
        return InvalidRequest("The request does not fit.", "Correct what is named.", problems)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(f"There is nothing at {request.scope['path']}.", "Check the address.")
    if isinstance(error, PermissionDeniedException) and error.detail.startswith("CSRF"):
        return NotAllowed("This form was too old, or did not come from here.", "Go back, reload, and try again.")
    status = HTTPStatus(error.status_code)
    known = PilotageError(error.detail if error.status_code < 500 else "Something went wrong on our side.")
    known.status, known.title, known.code = status.value, status.phrase, status.phrase.lower().replace(" ", "-")
    return known


def _answer(request: AnyRequest, error: PilotageError, headers: dict[str, str] | None = None) -> Response[Any]:
    headers = dict(headers or {})
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    protocol = _protocol(request)
    if not _is_api(request) and protocol is None:
        context = {"error": error, "page": {"use_case": None, "active": ""}}
        return Template("error.html", context=context, status_code=error.status, headers=headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, LimitReached):
        headers |= error.standing.headers()
    if protocol is not None:
        status = 400 if isinstance(error, InvalidRequest) else error.status  # their only word for what does not fit
        return Response(protocol(error), status_code=status, headers=headers, media_type="application/json")
    body = problem_details(error, request.scope["path"])
    return Response(body, status_code=error.status, headers=headers, media_type=MEDIA_TYPE)


def _wanted(request: AnyRequest) -> str:
    """Where to go after the log-in; a form that was sent by a stranger is not sent again.

    Read from what was asked and not from ``request.url``, which the header Host is a part of. What looks like a secret
    is not carried on into another address.
    """
    if request.method != "GET":
        return "/"
    path, query = str(request.scope["path"]), request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query and without_secrets(query) == query else path


def _protocol(request: AnyRequest) -> Callable[[PilotageError], bytes] | None:
    """How the protocol under whose path this is writes its errors."""
    path = request.scope["path"]
    if path == "/v2" or path.startswith("/v2/"):
        return inference.error_body
    return flags.error_body if path.startswith("/ofrep/") else None


def _is_for_programs(request: AnyRequest) -> bool:
    return _is_api(request) or _protocol(request) is not None


def _is_api(request: AnyRequest) -> bool:
    return request.scope["path"].startswith(API)
