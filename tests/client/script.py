"""A real HTTP server on this machine that plays a script of replies, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Arrived:
    """One request as it came."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, script: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.arrived: list[Arrived] = []
        self.lock = threading.Lock()

    def server_bind(self) -> None:
        """Without asking what this machine is called, which can take its time."""
        socketserver.TCPServer.server_bind(self)

    def next_reply(self, arrived: Arrived) -> dict[str, Any]:
        with self.lock:
            self.arrived.append(arrived)
            return self.script[min(len(self.arrived), len(self.script)) - 1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _play(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.next_reply(Arrived(self.command, self.path, headers, body))
        time.sleep(reply.get("delay_ms", 0) / 1000)
        if reply.get("close"):
            self.close_connection = True
            return
        if "head_dribble_ms" in reply:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
                self.wfile.write(bytes([byte]))
                time.sleep(reply["head_dribble_ms"] / 1000)
            return
        content = reply["text"].encode() if "text" in reply else json.dumps(reply.get("body")).encode()
        self.send_response(reply["status"])
        named = {"Content-Type": "application/json"} | reply.get("headers", {})
        for name, value in (named | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self._write(content, reply)

    def _write(self, content: bytes, reply: dict[str, Any]) -> None:
        if "cut" in reply:
            self.wfile.write(content[: reply["cut"]])
            self.close_connection = True
        elif "dribble_ms" in reply:
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(reply["dribble_ms"] / 1000)
        else:
            self.wfile.write(content)

    do_GET = do_POST = _play  # noqa: N815  the library's names

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def playing(script: list[dict[str, Any]] | None) -> Iterator[tuple[str, list[Arrived]]]:
    """The server's address and what arrives; without a script an address where nobody listens."""
    if script is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can listen there meanwhile
            yield f"http://127.0.0.1:{probe.getsockname()[1]}", []
        return
    server = _Server(script)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.arrived
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
