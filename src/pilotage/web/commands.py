"""The command that starts the server."""

from __future__ import annotations

import ipaddress
import os
import socket

from pilotage.govern import flow
from pilotage.platform.errors import SettingsError
from pilotage.platform.logs import configure
from pilotage.platform.settings import PREFIX, Settings
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened

_DRAIN_SECONDS = 10


def serve(*, host: str | None = None, port: int | None = None, workers: int = 1) -> None:
    """Start the console and the API; prints the first log-in once.

    Parameters
    ----------
    host
        Address to listen on: PILOTAGE_HOST, and without it 127.0.0.1, this machine only.
    port
        Port to listen on: PILOTAGE_PORT, and without it 8700.
    workers
        Processes that answer.
    """
    import uvicorn

    terminal = Terminal()
    if workers < 1:
        raise SettingsError(f"--workers must be at least 1 (got {workers}).", "Give the number of processes.")
    with opened() as work:
        settings = work.settings
        host, port = host or settings.host, port or settings.port
        _demand_free(host, port)  # before the first log-in is made, which is shown only once
        first = flow.first_start(work)
    if first:
        terminal.say(f"First start. Log in as {first[0]} with this password, shown this once: {first[1]}")
    if not is_loopback(host) and not settings.public_url.startswith("https://"):
        terminal.say(f"Warning: {host} can be reached from other machines, and {_without_https(settings)}")
    terminal.say(f"Console and API: {settings.public_url or f'http://{host}:{port}'} (stop with Ctrl+C)")
    # The workers build their own settings: links and snippets must name where this server really is.
    os.environ |= {f"{PREFIX}HOST": host, f"{PREFIX}PORT": str(port)}
    configure(settings.log_level)
    uvicorn.run(
        "pilotage.app:create",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        log_level=settings.log_level.lower(),
    )


def _demand_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"Cannot listen on {host}, port {port}: {error.strerror}.",
                "Choose another with --port, or stop what is there.",
            ) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_https(settings: Settings) -> str:
    said = "PILOTAGE_PUBLIC_URL is not set" if not settings.public_url else "PILOTAGE_PUBLIC_URL is not https"
    return f"{said}: passwords would travel in clear. Put a proxy with https before it."
