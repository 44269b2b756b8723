"""What programs may ask: the OpenAPI document of a key, and a page on which people read and try it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template
from litestar.routes import HTTPRoute

from pilotage.decisions import flow as deciding
from pilotage.decisions.contract import example_request
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition
from pilotage.web import openapi
from pilotage.web import schemas_in_words as schemas

AnyRequest = Request[Any, Any, Any]


@get("/v1/openapi.json", guards=[needs(Permission.DECIDE)], sync_to_thread=True)
def openapi_document(request: AnyRequest, work: Workspace) -> dict[str, Any]:
    """This document: what this key may ask, with the requests of each of its use cases (OpenAPI 3.1)."""
    return _described(request, work, _use_cases(work, principal_of(request), Permission.DECIDE))


@get("/interface", guards=[needs(Permission.READ)], sync_to_thread=True)
def interface_page(request: AnyRequest, work: Workspace) -> Template:
    """The operations of the API, with an example of each use case to try with a key."""
    seen = _use_cases(work, principal_of(request), Permission.READ)
    described = _described(request, work, seen)
    operations = [
        {"method": method.upper(), "path": path, "summary": operation["summary"], "name": operation["operationId"]}
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    tried = [_tried(definition, work.clock.now()) for definition in seen]
    context = {"page": {"use_case": None, "active": "interface"}, "operations": operations, "tried": tried}
    return Template("interface.html", context=context)


@get("/interface/{operation:str}", guards=[needs(Permission.READ)], sync_to_thread=True)
def operation_page(operation: str, request: AnyRequest, work: Workspace) -> Template:
    """One operation: its parameters, what it is sent, and what it replies."""
    document = _described(request, work, _use_cases(work, principal_of(request), Permission.READ))
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if described["operationId"] == operation:
                return Template("operation.html", context=_read(document, method.upper(), path, described))
    raise NotFound(f"There is no operation {operation} that you may see.", "Look for it on the page of the API.")


def _read(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """What the page of an operation shows."""
    request = operation.get("requestBody", {}).get("content", {})
    replies = operation["responses"]
    sent = [(kind, each.get("schema", {})) for kind, each in request.items()]
    replied = [each["schema"] for reply in replies.values() for each in reply.get("content", {}).values()]
    example = next((each["example"] for each in request.values() if "example" in each), None)
    crumbs = [("API", "/interface"), (f"{method} {path}", "")]
    return {
        "page": {"use_case": None, "active": "interface", "crumbs": crumbs},
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "is_open": operation.get("security") == [],
        "parameters": [schemas.parameter(each) for each in operation["parameters"]],
        "sent": [(kind, schema and schemas.type_of(schema), schemas.body("", schema)) for kind, schema in sent],
        "example": msgspec.json.format(msgspec.json.encode(example), indent=2).decode() if example else "",
        "replies": [(status, reply["description"], _typed(reply)) for status, reply in replies.items()],
        "bodies": schemas.bodies([schema for _, schema in sent] + replied, document["components"]["schemas"]),
        "place": schemas.place,
        "short": schemas.short,
    }


def _typed(reply: dict[str, Any]) -> list[tuple[str, str]]:
    """Media type and type of each body of a reply."""
    return [(kind, schemas.type_of(each["schema"])) for kind, each in reply.get("content", {}).items()]


def _described(request: AnyRequest, work: Workspace, definitions: list[Definition]) -> dict[str, Any]:
    asked = [(each, deciding.contract_of(work, each)) for each in definitions]
    return openapi.document(_routes(request), asked, work.clock.now(), work.settings.address)


def _tried(definition: Definition, now: Any) -> dict[str, Any]:
    example = example_request(definition.plan, now)
    path = f"/v1/use-cases/{definition.name}/decisions"
    many = msgspec.json.format(msgspec.json.encode({"requests": [msgspec.Raw(example.encode())]}), indent=2).decode()
    ways = [{"path": path, "body": example}, {"path": f"{path}:batch", "body": many}]
    return {"name": definition.name, "title": definition.use_case.title, "ways": ways}


def _use_cases(work: Workspace, who: Principal, permission: Permission) -> list[Definition]:
    seen = [each for each in defining.definitions(work) if allowed(who, permission, each.name)]
    return [releasing.answering(work, each) for each in seen]


def _routes(request: AnyRequest) -> list[tuple[str, HTTPRouteHandler]]:
    return [
        (route.path_format, handler)
        for route in request.app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
    ]


ROUTES = [openapi_document, interface_page, operation_page]
