"""HTTP of the Open Inference Protocol, under ``/v2``."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post

import pilotage
from pilotage.decisions.answering.deadlines import patience_of
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.http import readiness
from pilotage.decisions.http.incoming import read_body
from pilotage.decisions.inference import describing, tensors
from pilotage.decisions.inference.asking import Asking, demand_live
from pilotage.decisions.inference.records import ModelMetadata
from pilotage.govern.guards import needs, principal_of, public
from pilotage.govern.records import Permission
from pilotage.platform.errors import BadRequest, PilotageError, Unavailable
from pilotage.platform.replies import key_in

HEADER_LENGTH = "Inference-Header-Content-Length"
AnyRequest = Request[Any, Any, Any]


@get("/v2", guards=[public("says only what program this is")], sync_to_thread=False)
def server() -> dict[str, Any]:
    """The program's name and version, and which extensions of the protocol it speaks."""
    return {"name": "pilotage", "version": pilotage.__version__, "extensions": ["binary_tensor_data"]}


@get("/v2/health/live", guards=[public("says only that the process answers")], sync_to_thread=False)
def live() -> dict[str, bool]:
    """The process answers."""
    return {"live": True}


@get("/v2/health/ready", guards=[public("says only whether this process can answer")], sync_to_thread=False)
def ready(service: Service) -> Response[dict[str, bool]]:
    """This worker can answer questions: 200, else 503."""
    found = readiness.readiness(service)
    return Response({"ready": found.ready}, status_code=200 if found.ready else 503)


@get(
    ["/v2/models/{use_case:str}", "/v2/models/{use_case:str}/versions/{version:str}"],
    guards=[needs(Permission.DECIDE)],
    sync_to_thread=False,
)
def model(use_case: str, request: AnyRequest, service: Service, version: str | None = None) -> ModelMetadata:
    """Inputs and outputs of a use case, and its live version."""
    serving = _serving(service, request, use_case, version)
    definition = serving.definition
    return describing.metadata(use_case, definition.plan, definition.use_case.kind, serving.live.version)


@get(
    ["/v2/models/{use_case:str}/ready", "/v2/models/{use_case:str}/versions/{version:str}/ready"],
    guards=[needs(Permission.DECIDE)],
    sync_to_thread=False,
)
def model_ready(use_case: str, request: AnyRequest, service: Service, version: str | None = None) -> dict[str, Any]:
    """A use case that is loaded is answered for: by its model, its rule or its default."""
    _serving(service, request, use_case, version)
    found = readiness.readiness(service)
    if not found.ready:
        raise Unavailable(" ".join(found.reasons))
    return {"name": use_case, "ready": True}


@post(
    ["/v2/models/{use_case:str}/infer", "/v2/models/{use_case:str}/versions/{version:str}/infer"],
    guards=[needs(Permission.DECIDE)],
    status_code=200,
)
async def infer(
    use_case: str, request: AnyRequest, service: Service, asking: Asking, version: str | None = None
) -> Response[bytes]:
    """A decision per row: as ``POST /v1/use-cases/…/decisions``, with the same record, budget and fallback.

    Raises:
        BadRequest: it came with an idempotency key, which would be promised and not kept here.
    """
    if key_in(list(request.scope["headers"])) is not None:
        raise BadRequest(
            "Idempotency-Key is not kept under /v2.",
            f"Leave it out, or ask POST /v1/use-cases/{use_case}/decisions:batch, which keeps it.",
        )
    body = await read_body(request)
    given, binary = tensors.parted(body, request.headers.get(HEADER_LENGTH))
    patience_ms = patience_of(request.scope["headers"])
    asked = (use_case, version, given, binary, principal_of(request), patience_ms)
    content, json_size, standing = await asking.infer(*asked)
    headers = {} if standing is None else standing.headers()
    if json_size is not None:
        headers[HEADER_LENGTH] = str(json_size)
    media_type = "application/json" if json_size is None else "application/octet-stream"
    return Response(content, headers=headers, media_type=media_type)


def error_body(error: PilotageError) -> bytes:
    """An error in the protocol's form."""
    problems = [str(problem) for problem in error.problems]
    return msgspec.json.encode({"error": " ".join([error.message, *problems, error.repair]).strip()})


def _serving(service: Service, request: AnyRequest, use_case: str, version: str | None) -> Serving:
    serving = service.serving(use_case, principal_of(request))
    demand_live(serving, version)
    return serving


ROUTES = [server, live, ready, model, model_ready, infer]
