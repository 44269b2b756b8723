"""An app that shows the card: a page of another origin under a strict policy, with a token address of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pilotage.web.embedding import script_tag
from tests.review.arranging import NAME

PAGE = """<!doctype html><html lang="{lang}" dir="{dir}" class="{scheme}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Host</title>
<link rel="stylesheet" href="/host.css">{script}</head><body><h2 id="above">UA 1545</h2>
<pilotage-card server="{server}" {token} {more}></pilotage-card><p id="below">Below the card</p>
</body></html>"""
STYLE = """html { background: Canvas; color: CanvasText; font-family: sans-serif } body { margin: 8px }
.light { color-scheme: light } .dark { color-scheme: dark } h2 { margin: 0 0 8px }"""


class Host:
    """Serves the page; remembers how often a token was fetched, and can be told to fail."""

    def __init__(self, server: str, key: dict[str, str]) -> None:
        self.server, self.key = server, key
        self.origin = ""
        self.tokens_given = 0
        self.first_token = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/page", self.page), Route("/token", self.token), Route("/host.css", self.style)]
        )

    def address(self, entity: str, **options: str) -> str:
        return str(httpx.URL(f"{self.origin}/page", params={"entity": entity, **options}))

    def page(self, request: Request) -> Response:
        options = request.query_params
        html = PAGE.format(
            lang=options.get("lang", "en"),
            dir=options.get("dir", "ltr"),
            scheme=options.get("scheme", "light"),
            script=script_tag(self.server),
            server=options.get("server", self.server),
            token="" if options.get("by") == "property" else f'token-url="/token?entity={options["entity"]}"',
            more=options.get("more", ""),
        )
        policy = (
            f"default-src 'none'; script-src {self.server}; "
            f"connect-src 'self' {self.server} {options.get('server', '')}; "
            "style-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def style(self, request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    def token(self, request: Request) -> Response:
        self.tokens_given += 1
        if self.first_token and self.tokens_given == 1:
            return JSONResponse({"token": self.first_token})
        return JSONResponse({"token": self.mint(request.query_params["entity"])})

    def mint(self, entity: str, **changes: Any) -> str:
        body = {"entity": entity, "origin": self.origin, "person": "maria", **changes}
        reply = httpx.post(f"{self.server}/v1/use-cases/{NAME}/card-tokens", json=body, headers=self.key, timeout=30)
        return str(reply.json().get("token", ""))


@contextmanager
def serving(app: Any, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """An ASGI app on a free port of this machine, in a thread, until the end of the block; its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan=lifespan))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
