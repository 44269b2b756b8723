"""The whole application over HTTP, in this process: a small use case, keys, and a client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from pilotage.app import Application
from pilotage.decisions.serving import Serving
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace

PATH = "/v1/use-cases/small/decisions"
QUESTION = {"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}


def key_of(work: Workspace, name: str = "app", use_case: str = "small", per_minute: int = 0) -> str:
    """A new app's key."""
    return governing.make_key(work, SYSTEM, name, (Grant(Role.APP, use_case),), per_minute)


@asynccontextmanager
async def asked(
    work: Workspace, ready: Serving | None, key: str | None = None
) -> AsyncIterator[tuple[httpx.AsyncClient, Application]]:
    """A client with a key, of an application that answers by this serving."""
    app = Application(work)
    app.service.following.servings = {} if ready is None else {"small": ready}
    app.service.following.keys = governing.all_keys(work)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://asked.test", headers=headers) as client:
            yield client, app
    finally:
        app.service.close()
