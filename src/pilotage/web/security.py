"""What every answer carries so that a browser keeps to our own pages."""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from pilotage.web.authentication import STANDING

_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_KEPT_BY_BROWSERS = ("/static/", "/embed/")


async def add_headers(message: Message, scope: Scope) -> None:
    """Add the headers to an answer that begins; pages and data are not kept by browsers or proxies."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if standing := scope.get("state", {}).get(STANDING):
        for name, value in standing.headers().items():
            headers.setdefault(name, value)
    if not scope["path"].startswith(_KEPT_BY_BROWSERS):
        headers.setdefault("Cache-Control", "no-store")
