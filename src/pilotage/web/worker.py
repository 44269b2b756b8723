"""One process that answers: ``python -m pilotage.web.worker APPLICATION LISTENER LINE DRAIN_SECONDS LOG_LEVEL``.

It is started by :mod:`pilotage.web.supervising`, which hands it the listening socket and a line as file descriptors.
Over the line it says that it answers, and every second that its event loop still turns; when the line breaks, whoever
started it is gone, and it stops as if it had been asked to.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

import structlog
import uvicorn

from pilotage.platform.errors import DatabaseUnavailable
from pilotage.platform.logs import configure, take_in_libraries
from pilotage.web import leaving
from pilotage.web.connections import Connection, look_at_all

READY, ALIVE = b"r", b"a"
WITHOUT_DATABASE = 75
"""How a worker exits that could not start for want of the control database: EX_TEMPFAIL of sysexits.h."""
STOP, LEAVE = signal.SIGTERM, signal.SIGQUIT
"""Stop after the drain delay; stop without it, because others accept what comes meanwhile."""
GRACE_SECONDS = 10
"""How long answers in work are waited for."""
_KEEP_ALIVE_SECONDS = 5
_LOOK_SECONDS = 0.02


class Drainable(Protocol):
    """An ASGI application that can say of itself that it takes no new questions."""

    def drain(self) -> None: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Server(uvicorn.Server):
    """Uvicorn's, which would close its socket at once: this one tells first, keeps accepting, and then stops."""

    def __init__(self, config: uvicorn.Config, application: Drainable, line: socket.socket, drain_seconds: float):
        super().__init__(config)
        self._application = application
        self._line = line
        self._drain_seconds = drain_seconds
        config.callback_notify = self._say_alive
        config.timeout_notify = 1

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say(READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Unready; answers that close their connections; the drain delay; no new connections; an end of the old.

        A connection that was kept open is closed with an answer on it, or when it idled as long as it may: closing it
        between two questions could cross with the second.
        """
        self._application.drain()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await self._wait(self._drain_seconds, lambda: self._drain_seconds == 0)
        if self._drain_seconds:  # nobody else accepts what comes meanwhile
            for each in sockets or ():
                leaving.hold_off_new(each)
            await asyncio.sleep(leaving.TAKING_SECONDS)
        for server in self.servers:
            server.close()
        await self._wait(_KEEP_ALIVE_SECONDS + 1, lambda: not self.server_state.connections)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second signal may still shorten the drain delay."""
        if sig == LEAVE:
            self._drain_seconds = 0.0
        if sig != signal.SIGINT:  # of a terminal, which sends it to everybody: the supervisor will say what to do
            self.should_exit = True

    async def _wait(self, seconds: float, is_over: Callable[[], bool]) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while not is_over() and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_LOOK_SECONDS)

    async def _say_alive(self) -> None:
        self._say(ALIVE)
        look_at_all(self.server_state.connections, asyncio.get_running_loop().time())

    def _say(self, word: bytes) -> None:
        try:
            self._line.send(word, socket.MSG_DONTWAIT)
        except OSError:  # nobody listens any more: the thread at the line sees to that
            return


def main(arguments: list[str]) -> None:
    """Answer until told to stop."""
    application_name, listener, line_number, drain_seconds, log_level = arguments
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in (STOP, LEAVE):
        signal.signal(each, lambda *_: os._exit(0))  # while it is still being built, nothing has to be drained
    line = socket.socket(fileno=int(line_number))
    configure(log_level, "json" if os.environ.get("PILOTAGE_LOG_FORMAT") == "json" else "text")
    take_in_libraries()
    threading.Thread(target=_stop_with_line, args=(line,), name="line", daemon=True).start()
    module, _, factory = application_name.partition(":")
    try:
        application: Drainable = getattr(importlib.import_module(module), factory)()
    except DatabaseUnavailable as error:
        structlog.get_logger().error("database_unavailable", error=error.message)
        sys.stderr.flush()
        os._exit(WITHOUT_DATABASE)
    config = configuration(application, log_level)
    server = Server(config, application, line, float(drain_seconds))
    signal.signal(LEAVE, server.handle_exit)
    server.run([socket.socket(fileno=int(listener))])
    sys.stderr.flush()
    os._exit(0)  # all is closed; what libraries do when an interpreter ends could only hang or complain


def configuration(application: Drainable, log_level: str = "INFO") -> uvicorn.Config:
    """How every worker answers: over connections that are bounded, and without what is not needed."""
    return uvicorn.Config(
        application,
        http=Connection,
        ws="none",
        proxy_headers=False,  # whom a proxy names is read where log-ins are counted, and believed of our own only
        lifespan="on",
        access_log=False,
        log_config=None,  # its lines are events of ours
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        log_level=log_level.lower() if log_level != "INFO" else "warning",
    )


def _stop_with_line(line: socket.socket) -> None:
    """Nothing is ever sent this way: it ends when the other end does."""
    with contextlib.suppress(ConnectionError):  # it was killed with words of ours unread
        line.recv(1)
    os.kill(os.getpid(), STOP)


if __name__ == "__main__":
    main(sys.argv[1:])
