"""A worker's own server in this process, over the whole application; and bytes that no client library would send."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from pilotage.app import Application
from pilotage.decisions.answering.serving import Serving
from pilotage.govern import flow as governing
from pilotage.platform.workspace import Workspace
from pilotage.web.worker import Server, configuration

Address = tuple[str, int]


@contextlib.contextmanager
def listening(work: Workspace, *ready: Serving) -> Iterator[tuple[Address, Application]]:
    """The application as a worker serves it; with servings, it answers by these and follows nothing."""
    app = Application(work)
    ours, theirs = socket.socketpair()
    config = configuration(app, "CRITICAL")
    config.lifespan = "off" if ready else "on"
    if ready:
        app.service.following.look_at_switches()
        app.service.following.servings = {each.definition.name: each for each in ready}
        app.service.following.keys = governing.all_keys(work)
        app.service.phase = "running"
    server = Server(config, app, theirs, 0.0)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener, ours, theirs:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.005)
        try:
            yield listener.getsockname(), app
        finally:
            server.force_exit = server.should_exit = True
            thread.join(20)
            if ready:
                app.service.close()


def said_to(address: Address, sent: bytes, seconds: float = 5.0) -> bytes:
    """All that is answered to these bytes until the other end closes, or says nothing for a moment."""
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall(sent)
        return rest_of(connection, seconds)


def rest_of(connection: socket.socket, seconds: float = 5.0) -> bytes:
    """What still comes; ends with the connection, or when a whole answer came and nothing follows."""
    found, until = b"", time.monotonic() + seconds
    while time.monotonic() < until:
        connection.settimeout(0.3 if found else max(0.05, until - time.monotonic()))
        try:
            part = connection.recv(65_536)
        except TimeoutError:
            if found:
                return found
            continue
        except ConnectionError:
            return found
        if not part:
            return found
        found += part
    return found


def statuses(answered: bytes) -> list[int]:
    """The status of each answer in what came."""
    return [int(part[:3]) for part in answered.split(b"HTTP/1.1 ")[1:]]
