"""The OpenAPI 3.1 document of what a caller may ask: made from the handlers themselves, and from its use cases.

Routes under ``/v1`` are read from the list that the console is built from. The two routes that are plain ASGI stand in
once per use case, with the schema of its own requests.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
import typing
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from pilotage import __version__
from pilotage.decisions.contract import Contract, example_request
from pilotage.decisions.http.batches import ROWS_MAX
from pilotage.decisions.records import Answer
from pilotage.govern.guards import Needs
from pilotage.outcomes.api import OutcomesRequest
from pilotage.usecase.records import Definition

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_BODY_TYPES: dict[str, tuple[str, ...]] = {
    "submit_job": ("application/x-ndjson", "text/csv", "application/vnd.apache.parquet")
}
_BODIES: dict[str, type] = {"report_outcomes": OutcomesRequest}
"""Bodies that handlers read themselves, row by row."""
_TEMPLATE = "#/components/schemas/{name}"
_FIXED = {"work", "request", "data"}
_PROBLEMS = {
    "400": "It cannot be read.",
    "401": "No key, or none that is known.",
    "403": "The key may not do this.",
    "404": "There is no such thing, or none that the key may know of.",
    "405": "Not with this method.",
    "409": "It was done already, changed meanwhile, or is being answered under the same Idempotency-Key.",
    "413": "Too large.",
    "415": "The body is of a type or coding that is not read here.",
    "422": "It does not fit; problems names every field. Or the Idempotency-Key came with another request.",
    "429": "The key asked as often as it may; Retry-After says when to ask again.",
    "503": "Not now; Retry-After says when to ask again.",
}


class ProblemDetails(msgspec.Struct):
    """What was wrong, where, and what to do about it (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    problems: list[dict[str, Any]]
    request: str = ""


class BatchRow(msgspec.Struct, omit_defaults=True):
    """What became of one row of a batch."""

    status: int
    answer: Answer | None = None
    problem: ProblemDetails | None = None


class BatchReply(msgspec.Struct):
    """A result per request, in their order."""

    answered: int
    refused: int
    results: list[BatchRow]


def document(
    routes: Sequence[tuple[str, HTTPRouteHandler]],
    asked: Sequence[tuple[Definition, Contract]],
    now: dt.datetime,
    url: str,
) -> dict[str, Any]:
    """The document, for a caller that may ask these use cases; ``routes`` are paths with their handlers."""
    names = [definition.name for definition, _ in asked]
    found = [(_PARAMETER.sub(r"{\1}", path), handler) for path, handler in routes if path.startswith("/v1/")]
    bodies = (each for _, handler in found for each in (_returned(handler), _body_of(handler)))
    schemas = _Schemas([ProblemDetails, Answer, BatchReply, *_BODIES.values(), *bodies])
    paths: dict[str, Any] = {}
    for path, handler in found:
        for method in sorted(set(handler.http_methods) - {"OPTIONS", "HEAD"}):
            paths.setdefault(path, {})[method.lower()] = _operation(handler, method, path, names, schemas)
    for definition, contract in asked:
        paths |= _of_use_case(definition, now, schemas)
        schemas.found[f"{definition.name}.Request"] = contract.schema()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pilotage", "version": __version__, "description": "Asks for decisions and tells outcomes."},
        "servers": [{"url": url}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.found.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key: pk_…"}},
        },
        "security": [{"key": []}],
    }


class _Schemas:
    """JSON Schemas of the types that bodies have, by name; two types of one name by their modules, too."""

    def __init__(self, types: Iterable[Any]) -> None:
        described = [each for each in dict.fromkeys(types) if _is_described(each)]
        schemas, self.found = msgspec.json.schema_components(described, ref_template=_TEMPLATE)
        self._of = dict(zip(described, schemas, strict=True))

    def of(self, wanted: Any) -> dict[str, Any] | None:
        return self._of.get(wanted)


def _is_described(wanted: Any) -> bool:
    """Whether a body has a schema: not where there is none, or none that could be described."""
    if wanted is None:
        return False
    try:
        msgspec.json.schema(wanted)
    except TypeError:
        return False
    return True


def _of_use_case(definition: Definition, now: dt.datetime, schemas: _Schemas) -> dict[str, Any]:
    name, title = definition.name, definition.use_case.title
    request = {"$ref": f"#/components/schemas/{name}.Request"}
    example = msgspec.json.decode(example_request(definition.plan, now))
    many = {
        "type": "object",
        "required": ["requests"],
        "additionalProperties": False,
        "properties": {"requests": {"type": "array", "minItems": 1, "maxItems": ROWS_MAX, "items": request}},
    }
    one = _post(f"decide_{name}", f"{title}: one decision", request, example, schemas.of(Answer), name)
    batch = _post(
        f"decide_many_{name}",
        f"{title}: up to {ROWS_MAX:,} decisions",
        many,
        {"requests": [example]},
        schemas.of(BatchReply),
        name,
    )
    path = f"/v1/use-cases/{name}/decisions"
    return {path: {"post": one}, f"{path}:batch": {"post": batch}}


def _post(name: str, summary: str, schema: dict[str, Any], example: Any, reply: Any, tag: str) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    answered = {"application/json": {"schema": reply}}
    headers: list[dict[str, Any]] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "description": "The same key and body get the same reply, for a day.",
        },
        {
            "name": "X-Request-Timeout-Ms",
            "in": "header",
            "schema": {"type": "integer", "minimum": 1, "maximum": 999999999},
            "description": "How long the caller waits: the answer comes before.",
        },
    ]
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": headers,
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "Answered.", "content": answered}, **_problems()},
    }


def _operation(
    handler: HTTPRouteHandler, method: str, path: str, names: Sequence[str], schemas: _Schemas
) -> dict[str, Any]:
    name = handler.handler_name
    said = inspect.getdoc(inspect.unwrap(getattr(handler.fn, "func", handler.fn))) or name
    operation: dict[str, Any] = {
        "operationId": f"{name}_{method.lower()}" if len(handler.http_methods) > 1 else name,
        "summary": said.splitlines()[0],
        "tags": [path.split("/")[2]],
        "parameters": [*_in_path(path, names), *_in_query(handler, path)],
        "responses": {str(handler.status_code): _replied(handler, schemas), **_problems()},
    }
    if not any(isinstance(guard, Needs) for guard in handler.guards or ()):
        operation["security"] = []
    body = _BODIES.get(name)
    schema = schemas.of(body or _body_of(handler))
    if schema is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if kinds := _BODY_TYPES.get(name):
        operation["requestBody"] = {"required": True, "content": {kind: {} for kind in kinds}}
    return operation


def _in_path(path: str, names: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for name in _PARAMETER.findall(path):
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if name == "use_case" and names:
            schema["enum"] = list(names)
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _in_query(handler: HTTPRouteHandler, path: str) -> list[dict[str, Any]]:
    in_path = set(_PARAMETER.findall(path))
    found = []
    for name, parameter in handler.parsed_fn_signature.parameters.items():
        if name in _FIXED or name in in_path:
            continue
        try:
            schema = msgspec.json.schema(parameter.annotation)
        except TypeError:  # something that is handed in, and not sent
            continue
        found.append({"name": name, "in": "query", "required": not parameter.has_default, "schema": schema})
    return found


def _replied(handler: HTTPRouteHandler, schemas: _Schemas) -> dict[str, Any]:
    schema = schemas.of(_returned(handler))
    return {"description": "Done.", **({"content": {"application/json": {"schema": schema}}} if schema else {})}


def _problems() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": why, "content": content} for status, why in _PROBLEMS.items()}


def _returned(handler: HTTPRouteHandler) -> Any:
    found = handler.parsed_fn_signature.return_type.annotation
    if typing.get_origin(found) is Response:
        (found,) = typing.get_args(found)
    unshown = found is None or found is type(None) or found is bytes
    return None if unshown or (inspect.isclass(found) and issubclass(found, Stream)) else found


def _body_of(handler: HTTPRouteHandler) -> Any:
    data = handler.parsed_fn_signature.parameters.get("data")
    return None if data is None else data.annotation
