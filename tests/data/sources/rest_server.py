"""A little REST endpoint on loopback that pages in every way, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Asking:
    """One request, and the answer to be given."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.path = parts.path
        self.parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.headers = dict(handler.headers)
        self._handler = handler

    def answer(self, content: Any, status: int = 200, **headers: str) -> None:
        """Send JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", headers.pop("kind", "application/json"))
        self._handler.send_header("Content-Length", headers.pop("length", str(len(body))))
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()
        self._handler.wfile.write(body)


@contextmanager
def serving(answer: Callable[[Asking], None]) -> Iterator[tuple[str, list[Asking]]]:
    """The address of a server that answers like this, and all that it was asked so far."""
    asked: list[Asking] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asking = Asking(self)
            asked.append(asking)
            answer(asking)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
