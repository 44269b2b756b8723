"""The whole application over HTTP, in this process: a small use case, keys, and a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from pilotage.app import Application
from pilotage.decisions.answering.serving import Serving
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
    try:
        async with _client(app, key) as client:
            yield client, app
    finally:
        app.service.close()


def ask_again(app: Application, key: str, method: str, path: str, **sent: Any) -> httpx.Response:
    """One request to an application that others went to, by whoever has a key by now."""

    async def once() -> httpx.Response:
        async with _client(app, key) as client:
            return await client.request(method, path, **sent)

    app.service.following.keys = governing.all_keys(app.work)
    return asyncio.run(once())


def _client(app: Application, key: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://asked.test", headers=headers)
