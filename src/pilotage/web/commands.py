"""The command that starts the server."""

from __future__ import annotations

import os
import socket
from typing import Literal

from pilotage.govern import flow
from pilotage.platform.errors import PilotageError, SettingsError
from pilotage.platform.logs import configure
from pilotage.platform.settings import PREFIX
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace, opened
from pilotage.web import precautions

APPLICATION = "pilotage.app:create"
DATABASE_SECONDS = 90.0
"""So long a server that starts waits for its control database; then it ends with 75, to be started again. Longer than
systemd's patience with five starts (``deploy/pilotage.service``), so that it never gives up.
"""


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    log_format: Literal["text", "json"] | None = None,
    insecure_public: bool = False,
) -> None:
    """Start the console and the API; prints the first log-in once.

    SIGTERM stops it without a lost answer, SIGHUP replaces its workers one by one. Where the control database does not
    answer it waits for a minute and a half, and then ends with exit code 75: start it again.

    Parameters
    ----------
    host
        Address to listen on: PILOTAGE_HOST, and without it 127.0.0.1, this machine only.
    port
        Port to listen on: PILOTAGE_PORT, and without it 8700.
    workers
        Processes that answer: PILOTAGE_WORKERS, and without it 1.
    log_format
        PILOTAGE_LOG_FORMAT, and without it text: for people. With json, lines for machines and one line per request.
    insecure_public
        Let other machines in although passwords and keys travel in clear.
    """
    from pilotage.web.stepping_back import step_back_or_say
    from pilotage.web.supervising import Supervisor

    terminal = Terminal()
    with opened(DATABASE_SECONDS, terminal.say) as work:
        settings = work.settings
        host, port = host or settings.host, port or settings.port
        workers = settings.workers if workers is None else workers
        if workers < 1:
            raise SettingsError(f"--workers must be at least 1 (got {workers}).", "Give the number of processes.")
        precautions.demand_safe_address(host, settings, insecure_public)
        _demand_safe(work)
        listener = _bound(host, port)  # before the first log-in is made, which is shown only once
        first = flow.first_start(work)
    if first:
        terminal.say(f"First start. Log in as {first[0]} with this password, shown this once: {first[1]}")
    if insecure_public and not precautions.is_loopback(host):
        terminal.say(f"Warning: {host} can be reached from other machines; passwords and keys travel in clear.")
    terminal.say(f"Console and API: {settings.public_url or f'http://{host}:{port}'} (stop with Ctrl+C)")
    # The workers build their own settings: links and snippets must name where this server really is.
    os.environ |= {f"{PREFIX}HOST": host, f"{PREFIX}PORT": str(port), f"{PREFIX}WORKERS": str(workers)}
    os.environ[f"{PREFIX}LOG_FORMAT"] = log_format = log_format or settings.log_format
    configure(settings.log_level, log_format)
    with listener:
        supervisor = Supervisor(
            APPLICATION,
            listener,
            workers,
            drain_seconds=settings.drain_seconds,
            log_level=settings.log_level,
            on_crash_loop=step_back_or_say,
        )
        if not supervisor.run():
            raise PilotageError(
                "No worker could be started.", "What they said stands above: repair it and start again."
            )


def _demand_safe(work: Workspace) -> None:
    precautions.demand_private_secrets(work.home)
    precautions.demand_sound_sqlite(work.database)
    precautions.demand_descriptors()


def _bound(host: str, port: int) -> socket.socket:
    """The socket that all workers accept from. Nobody can connect before the first of them listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Cannot listen on {host}, port {port}: {error.strerror}.",
            "Choose another with --port, or stop what is there.",
        ) from None
    return listener
