"""Serves the card's module to any page, with a name for its exact bytes (Subresource Integrity, W3C)."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from litestar import Request, Response, get

from pilotage.govern.guards import public

PATH = "/embed/pilotage-card.js"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"


@cache
def module() -> bytes:
    """The module's bytes."""
    return files("pilotage").joinpath("embed", "pilotage-card.js").read_bytes()


@cache
def version() -> str:
    """Names these bytes in an address, so that browsers may keep them for good."""
    return hashlib.sha256(module()).hexdigest()[:16]


@cache
def integrity() -> str:
    """The value of a script's ``integrity`` attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(module()).digest()).decode()


def script_tag(server: str) -> str:
    """The tag that loads the card into a host's page, held to the bytes served today."""
    source = escape(f"{server.rstrip('/')}{PATH}?v={version()}", quote=True)
    return f'<script type="module" src="{source}" integrity="{integrity()}" crossorigin="anonymous"></script>'


@get(PATH, guards=[public("a module without data, loaded by pages of other apps")], sync_to_thread=False)
def card_module(request: Request[Any, Any, Any], v: str = "") -> Response[bytes]:
    """The card's module. Under its own version it may be kept for good, else a browser asks again."""
    etag = f'"{version()}"'
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": _FOREVER if v == version() else _ASK_AGAIN,
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type="text/javascript; charset=utf-8")
    return Response(module(), headers=headers, media_type="text/javascript; charset=utf-8")


ROUTES = [card_module]
