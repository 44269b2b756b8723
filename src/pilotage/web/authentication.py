"""Finds out who is asking: people by their session's cookie, on pages; apps by their key, under ``/v1``."""

from __future__ import annotations

from typing import Any

from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from pilotage.decisions.answering.service import Service
from pilotage.decisions.http.exchange import hold_back
from pilotage.govern import flow
from pilotage.govern.cookies import SESSION
from pilotage.govern.flow.limits import LimitReached, Limits, Standing
from pilotage.govern.records import Principal
from pilotage.platform.errors import NotAuthenticated
from pilotage.platform.workspace import Workspace

API = "/v1/"
STANDING = "standing"
PROTOCOLS = ("/v2/models/", "/ofrep/")
"""Protocols of others, answered from memory: a key is looked up there, too."""
ANONYMOUS = ("/healthz", "/readyz", "/v2/health/", "/static/")
"""Who asks these is not looked at: they are answered whatever the database does."""
_KEY_HEADER = "x-api-key"
_BEARER = "bearer "


class Authentication:
    """Puts the principal into ``scope["user"]``, or None. Deciding what they may do is the guards' business.

    A cookie is never looked at under ``/v1`` and a key never on pages: so the API needs no CSRF token, and a page
    cannot be driven with a key. How a key stands with its limit is left in the request's state.
    """

    def __init__(self, app: ASGIApp, work: Workspace, service: Service | None = None) -> None:
        self.app = app
        self.work = work
        self.service = service
        self.limits = Limits(work.settings) if service is None else service.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            principal = scope["user"] = await self._principal(ASGIConnection(scope))
            scope["auth"] = None
            if principal is not None:
                scope["state"][STANDING] = await self._counted(principal)
        await self.app(scope, receive, send)

    async def _counted(self, principal: Principal) -> Standing | None:
        try:
            return self.limits.take(principal)
        except LimitReached:
            await hold_back()
            raise

    async def _principal(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        path = connection.scope["path"]
        if path.startswith(ANONYMOUS):
            return None
        if path.startswith(PROTOCOLS):
            return self._known(connection)
        if path.startswith(API):
            given = connection.headers.get("authorization", "")
            if not given.lower().startswith(_BEARER + "pk_"):
                return None
            return await sync_to_thread(flow.principal_of_key, self.work, given[len(_BEARER) :].strip())
        token = connection.cookies.get(SESSION)
        return await sync_to_thread(flow.principal_of_session, self.work, token) if token else None

    def _known(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        key = bearer.strip() if scheme.lower() == "bearer" else connection.headers.get(_KEY_HEADER, "")
        try:
            return self.service.authenticate(key) if self.service is not None else None
        except NotAuthenticated:
            return None
