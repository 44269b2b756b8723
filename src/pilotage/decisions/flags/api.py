"""HTTP of OFREP, under ``/ofrep/v1``. Answered from memory: what is live is looked for several times a second."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, post

from pilotage.decisions.answering.service import Service
from pilotage.decisions.flags import evaluating
from pilotage.decisions.flags.records import BulkFailure, Failure, Flags
from pilotage.decisions.http.incoming import read_body
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import PilotageError
from pilotage.releases.records import Live

AnyRequest = Request[Any, Any, Any]
_JSON = "application/json"


@post("/ofrep/v1/evaluate/flags/{key:str}", guards=[needs(Permission.DECIDE)], status_code=200)
async def one_flag(key: str, request: AnyRequest, service: Service) -> Response[bytes]:
    """One flag for the context's entity."""
    context = evaluating.context_of(await read_body(request))
    if isinstance(context, BulkFailure):
        failure = Failure(key, context.error_code, context.error_details)
        return Response(msgspec.json.encode(failure), status_code=400, media_type=_JSON)
    use_case, kind = evaluating.split_key(key)
    live = _lives(service, request).get(use_case)
    if live is None or not kind:
        return Response(msgspec.json.encode(evaluating.not_found(key)), status_code=404, media_type=_JSON)
    found = evaluating.evaluated(live, kind, context)
    status = 400 if isinstance(found, Failure) else 200
    return Response(msgspec.json.encode(found), status_code=status, media_type=_JSON)


@post("/ofrep/v1/evaluate/flags", guards=[needs(Permission.DECIDE)], status_code=200)
async def every_flag(request: AnyRequest, service: Service) -> Response[bytes]:
    """All flags that the key may see; 304 where the caller's are still these."""
    context = evaluating.context_of(await read_body(request))
    if isinstance(context, BulkFailure):
        return Response(msgspec.json.encode(context), status_code=400, media_type=_JSON)
    body = msgspec.json.encode(Flags(evaluating.all_flags(_lives(service, request).values(), context)))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(b"", status_code=304, headers={"ETag": tag}, media_type=_JSON)
    return Response(body, headers={"ETag": tag}, media_type=_JSON)


def error_body(error: PilotageError) -> bytes:
    """An error that is none of a flag, in the protocol's form."""
    return msgspec.json.encode({"errorCode": "GENERAL", "errorDetails": f"{error.message} {error.repair}".strip()})


def _lives(service: Service, request: AnyRequest) -> dict[str, Live]:
    """What is live of each use case that the caller's key may ask."""
    principal = principal_of(request)
    servings = service.following.servings
    return {name: serving.live for name, serving in servings.items() if allowed(principal, Permission.DECIDE, name)}


def _has(listed: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag (RFC 9110, 13.1.2): weakly compared."""
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in listed.split(","))


ROUTES = [one_flag, every_flag]
