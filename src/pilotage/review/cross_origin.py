"""Lets a page of another origin talk to the card's two routes (CORS, Fetch standard 3.2): never with cookies.

A preflight carries no token, so it can only be answered for whoever asks; the real request is held to the origin that
its token was minted for, and only errors without content are readable elsewhere.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from pilotage.platform.errors import InvalidRequest, PilotageError, Problem
from pilotage.platform.problems import MEDIA_TYPE, problem_details
from pilotage.platform.workspace import Workspace

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type, accept-language",
    "Access-Control-Max-Age": "600",
}


def origin_of(request: Request[Any, Any, Any], work: Workspace) -> str:
    """The origin of the page that asks. A browser names none for a GET within our own origin."""
    return request.headers.get("origin") or work.settings.address


def headers(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Headers of every reply to a card: readable by the asking page, kept by no cache."""
    fixed = {"Cache-Control": "no-store", "Vary": "Origin, Accept-Language"}
    origin = request.headers.get("origin")
    return {**fixed, "Access-Control-Allow-Origin": origin} if origin else fixed


def preflight(request: Request[Any, Any, Any]) -> Response[None]:
    """The answer to a browser's question before the real request."""
    return Response(None, status_code=204, headers={**headers(request), **_PREFLIGHT})


def refuse(request: Request[Any, Any, Any], error: PilotageError) -> Response[bytes]:
    """Problem details (RFC 9457) that the card can read."""
    challenge = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return Response(
        problem_details(error, request.scope["path"]),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers={**headers(request), **challenge},
    )


def refuse_form(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """The same for a body that the framework could not read."""
    if error.status_code >= 500:
        return refuse(request, PilotageError("Something went wrong on our side.", "Try again."))
    return refuse(request, InvalidRequest("The request does not fit.", "Correct what is named.", _named(error)))


def _named(error: HTTPException) -> list[Problem]:
    extra = error.extra if isinstance(error.extra, list) else []
    found = [Problem(str(one.get("key", "body")), str(one.get("message", ""))) for one in extra]
    return found or [Problem("body", error.detail)]
