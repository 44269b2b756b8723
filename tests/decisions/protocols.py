"""A server in this process that answers by one serving and nothing else, and its keys."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

from pilotage.app import Application
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import Serving
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console


def key_for(work: Workspace, use_case: str = "small", role: Role = Role.APP) -> str:
    """An app's key, as it is sent."""
    return governing.make_key(work, SYSTEM, f"{role.value} of {use_case}".replace("*", "all"), (Grant(role, use_case),))


def answering_by(work: Workspace, *ready: Serving) -> Service:
    """A service that answers by these servings; it follows nothing. Close it."""
    service = Service(work)
    service.following.look_at_switches()  # for the keys
    service.following.servings = {each.definition.name: each for each in ready}
    service.phase = "running"
    return service


@contextlib.contextmanager
def console_of(work: Workspace, *ready: Serving) -> Iterator[tuple[str, Service]]:
    """The routes over such a service, at an address."""
    service = answering_by(work, *ready)
    with _listening(build_console(work, service=service)) as address:
        yield address, service
    service.close()


@contextlib.contextmanager
def application_of(work: Workspace) -> Iterator[str]:
    """The whole application, following what is live, at an address."""
    with _listening(Application(work)) as address:
        yield address


@contextlib.contextmanager
def _listening(app: object) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))  # type: ignore[arg-type]
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
