"""Finds out who is asking: people by their session's cookie, on pages; apps by their key, under ``/v1``."""

from __future__ import annotations

from typing import Any

from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from pilotage.govern import flow
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import Principal
from pilotage.platform.workspace import Workspace

API = "/v1/"
_BEARER = "bearer "


class Authentication:
    """Puts the principal into ``scope["user"]``, or None. Deciding what they may do is the guards' business.

    A cookie is never looked at under ``/v1`` and a key never on pages: so the API needs no CSRF token, and a page
    cannot be driven with a key.
    """

    def __init__(self, app: ASGIApp, work: Workspace) -> None:
        self.app = app
        self.work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            scope["user"] = await self._principal(ASGIConnection(scope))
            scope["auth"] = None
        await self.app(scope, receive, send)

    async def _principal(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        if connection.scope["path"].startswith(API):
            given = connection.headers.get("authorization", "")
            if not given.lower().startswith(_BEARER + "pk_"):
                return None
            return await sync_to_thread(flow.principal_of_key, self.work, given[len(_BEARER) :].strip())
        token = connection.cookies.get(SESSION)
        return await sync_to_thread(flow.principal_of_session, self.work, token) if token else None
