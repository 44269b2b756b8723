"""JSON that handlers get decoded is held to what the routes that decode it themselves hold it to."""

from __future__ import annotations

from typing import Any

from litestar import Request

from pilotage.decisions.http.exchange import demand_json
from pilotage.platform.strictness import demand_unique_names

_PROGRAMS = "/v1/"
"""Where bodies are JSON; those of pages are forms."""


async def demand_strict(request: Request[Any, Any, Any]) -> None:
    """Look at a body before its handler gets it.

    Raises:
        WrongMediaType: it says that it is something else than JSON, or compressed.
        InvalidRequest: a name comes twice in one object: which one counts depends on who reads it.
    """
    if request.url.path.startswith(_PROGRAMS) and "data" in request.route_handler.parsed_fn_signature.parameters:
        demand_json(list(request.scope["headers"]))
        demand_unique_names(await request.body())
