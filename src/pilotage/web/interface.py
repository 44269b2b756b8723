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
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition
from pilotage.web import openapi

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
        {"method": method.upper(), "path": path, "summary": operation["summary"]}
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    tried = [_tried(definition, work.clock.now()) for definition in seen]
    context = {"page": {"use_case": None, "active": "interface"}, "operations": operations, "tried": tried}
    return Template("interface.html", context=context)


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


ROUTES = [openapi_document, interface_page]
