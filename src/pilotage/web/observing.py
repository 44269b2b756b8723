"""Around every request: its identifier, its span, and its line in the access log."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pilotage.govern.records import Principal
from pilotage.platform import requests, tracing
from pilotage.platform.access import AccessLog
from pilotage.platform.requests import Current
from pilotage.platform.settings import Settings

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answering = Callable[[Scope, Any, Send], Awaitable[str]]
"""An ASGI application that says which route it was; empty where the scope knows."""


class Observing:
    """Watches requests. Without a trace or an access log it only gives each an identifier."""

    def __init__(self, answering: Answering, settings: Settings) -> None:
        self._answering = answering
        self._log = AccessLog(settings.access_log_share) if settings.log_format == "json" else None

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Answer one request, with its identifier in the reply's headers."""
        began = time.perf_counter()
        headers = scope["headers"]
        about = Current(requests.identifier_in(headers))
        given = (requests.HEADER, about.id.encode())
        span = tracing.NOTHING
        if tracing.is_on():
            span, about.trace = tracing.served(scope["method"], headers)
        token = requests.current.set(about)
        status, route = 500, ""

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], given]
            await send(message)

        try:
            route = await self._answering(scope, receive, answer)
        finally:
            requests.current.reset(token)
            if self._log is not None or span is not tracing.NOTHING:
                self._tell(about, span, scope, route, status, time.perf_counter() - began)

    def refused(self, request: str, count: int, method: str, route: str, status: int) -> None:
        """Tell of requests that were refused before they were any; of the first one this is the identifier."""
        if self._log is not None:
            self._log.add_refused(request, count, method, route, status)

    def close(self) -> None:
        """Write what waits."""
        if self._log is not None:
            self._log.close()

    def _tell(self, about: Current, span: tracing.Span, scope: Scope, route: str, status: int, seconds: float) -> None:
        route = route or str(scope.get("path_template") or "")  # never the path itself: anything can stand there
        method = str(scope["method"])
        about.caller = about.caller or _name(scope.get("user"))
        if self._log is not None:
            self._log.add(about, method, route, status, seconds)
        if span is not tracing.NOTHING:
            known = {
                "http__request__method": method,
                "http__route": route or None,
                "http__response__status_code": status,
            }
            span.end(f"{method} {route}".strip(), status >= 500, pilotage__request=about.id, **known)


def _name(user: object) -> str:
    """A key's name; of a person only the identifier, which leads to nobody outside of here."""
    if not isinstance(user, Principal):
        return ""
    return user.name if user.kind == "key" else user.id
