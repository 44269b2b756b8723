"""Keeps workers answering on one listening socket: starts them, restarts what dies, replaces and stops them.

The socket stays open here, so what comes while a worker is away waits in its queue instead of being refused.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType

import structlog
from prometheus_client import multiprocess

from pilotage.platform.processes import SUPERVISOR, has_died, this_process
from pilotage.web import leaving, worker

CRASHES_MAX = 5
CRASH_SPAN = timedelta(minutes=1)
"""So many deaths in so long are a crash loop."""
_START_TRIES = 3
_START_SECONDS = 120.0
SILENT_SECONDS = 30.0
"""A worker whose event loop has not turned for so long is killed."""
STOP_SECONDS = worker.GRACE_SECONDS + 15.0
"""Beyond the drain delay: connections that idle, answers in work, what the application closes."""
_REFUSE_SECONDS = 1.0
"""After the drain delay: by then every worker has taken its last connection."""
_FIRST_DELAY_SECONDS, _DELAY_SECONDS_MAX = 0.2, 10.0
_LOOK_SECONDS = 0.05

log = structlog.get_logger()


class Worker:
    """A process that answers, and what is known of it."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.process = process
        self.is_ready = False
        self.heard_at = time.monotonic()
        self.stop_by: float | None = None
        self._line = line

    def listen(self) -> None:
        """Take in what it said since."""
        try:
            said = self._line.recv(4096, socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionError):
            return
        if said:
            self.heard_at = time.monotonic()
            self.is_ready = self.is_ready or worker.READY in said

    def is_stuck(self, now: float) -> bool:
        """It has not stopped in time, or said nothing for too long."""
        if self.stop_by is not None:
            return now > self.stop_by
        return now > self.heard_at + (SILENT_SECONDS if self.is_ready else _START_SECONDS)

    def ask_to(self, how: signal.Signals, seconds: float) -> None:
        """Stop within so long."""
        self.stop_by = time.monotonic() + seconds
        self.process.send_signal(how)

    def forget(self) -> None:
        """It has ended."""
        self._line.close()


class Supervisor:
    """Runs workers until it is told to stop.

    SIGTERM stops after the drain delay, SIGINT at once, SIGHUP replaces the workers one by one. A worker that dies is
    restarted: the first within a minute at once, the next after 0.2 s, then twice as long each time, to 10 s at most.
    """

    def __init__(
        self,
        application: str,
        listener: socket.socket,
        count: int,
        *,
        drain_seconds: float = 0.0,
        log_level: str = "INFO",
        on_crash_loop: Callable[[], None] = lambda: None,
    ) -> None:
        self._application = application
        self._listener = listener
        self._count = count
        self._drain_seconds = drain_seconds
        self._log_level = log_level
        self._on_crash_loop = on_crash_loop
        self._workers: list[Worker] = []
        self._outdated: deque[Worker] = deque()
        self._replacement: Worker | None = None
        self._deaths: deque[float] = deque()
        self._start_at: list[float] = []
        self._signals: deque[int] = deque()
        self._has_answered = self._is_stopping = self._was_told_to_stop = False
        self._failures = 0
        self._refuse_at: float | None = None
        self._counts = ""

    def run(self) -> bool:
        """Whether workers could be started, or none had to be any more; returns when all have ended."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        # A shell has what it starts in the background ignore this one, and so would workers that still start.
        signal.signal(worker.LEAVE, signal.SIG_DFL)
        self._counts = new_counts()
        try:
            for _ in range(self._count):
                self._start()
            while self._workers or self._start_at:
                time.sleep(_LOOK_SECONDS)
                self._look()
        finally:
            for each in self._workers:
                each.process.kill()
            shutil.rmtree(self._counts, ignore_errors=True)
        return self._has_answered or self._was_told_to_stop

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)

    def _look(self) -> None:
        while self._signals:
            self._obey(self._signals.popleft())
        now = time.monotonic()
        for each in list(self._workers):
            each.listen()
            self._has_answered = self._has_answered or each.is_ready
            if each.is_stuck(now):
                log.error("worker_stuck", worker=each.process.pid)
                each.process.kill()
                each.process.wait()
            if each.process.poll() is not None:
                self._bury(each)
        self._replace()
        if self._refuse_at is not None and now >= self._refuse_at:
            self._refuse_at = None
            leaving.refuse_new(self._listener)
        while self._start_at and self._start_at[0] <= now:
            self._start_at.pop(0)
            self._start()

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP and not self._is_stopping:
            log.info("workers_to_be_replaced", workers=len(self._workers))
            self._outdated = deque(self._staying())
        elif number != signal.SIGHUP:
            self._was_told_to_stop = True
            self._stop(0.0 if number == signal.SIGINT else self._drain_seconds)

    def _staying(self) -> list[Worker]:
        """Those that were not asked to stop."""
        return [each for each in self._workers if each.stop_by is None]

    def _is_one_missing(self) -> bool:
        return len(self._staying()) + len(self._start_at) < self._count

    def _stop(self, drain_seconds: float) -> None:
        self._is_stopping = True
        self._start_at.clear()
        self._outdated.clear()
        for each in self._workers:
            each.ask_to(worker.STOP if drain_seconds else worker.LEAVE, drain_seconds + STOP_SECONDS)
        if drain_seconds:
            self._refuse_at = time.monotonic() + drain_seconds + _REFUSE_SECONDS

    def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        descriptors = (self._listener.fileno(), theirs.fileno())
        command = [sys.executable, "-m", worker.__name__, self._application, *map(str, descriptors)]
        command += [str(self._drain_seconds), self._log_level]
        with theirs:
            process = subprocess.Popen(  # noqa: S603  our own program
                command, pass_fds=descriptors, env=self._environment()
            )
        started = Worker(process, ours)
        self._workers.append(started)
        log.info("worker_started", worker=process.pid)
        return started

    def _environment(self) -> Mapping[str, str]:
        """One worker counts in its memory; several add up in files."""
        told = {**os.environ, SUPERVISOR: str(os.getpid())}
        if self._count == 1:
            return {name: value for name, value in told.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        return {**told, "PROMETHEUS_MULTIPROC_DIR": self._counts}

    def _bury(self, dead: Worker) -> None:
        """It has ended: as it was asked to, or it is restarted."""
        self._workers.remove(dead)
        dead.forget()
        multiprocess.mark_process_dead(dead.process.pid, self._counts)  # type: ignore[no-untyped-call]
        if dead in self._outdated:
            self._outdated.remove(dead)
        how = {"worker": dead.process.pid, "code": dead.process.returncode}
        if dead.stop_by is not None or self._is_stopping:
            log.info("worker_stopped", **how)
        elif dead is self._replacement:
            self._replacement = None
            self._outdated.clear()
            log.error("replacement_failed", **how)  # those that were to be replaced stay
            if self._is_one_missing():  # unless one of them died meanwhile
                self._restart(time.monotonic())
        elif dead.process.returncode == worker.WITHOUT_DATABASE:  # it waited, as the next one will
            log.warning("worker_without_database", **how)
            self._start_later(time.monotonic() + _FIRST_DELAY_SECONDS)
        else:
            log.error("worker_died", **how)
            self._restart_or_give_up()

    def _restart_or_give_up(self) -> None:
        self._failures += not self._has_answered
        if self._failures >= _START_TRIES:
            self._stop(0.0)
            return
        self._restart(time.monotonic())

    def _restart(self, now: float) -> None:
        self._deaths.append(now)
        while self._deaths[0] < now - CRASH_SPAN.total_seconds():
            self._deaths.popleft()
        if self._is_one_missing():  # a replacement may already be on its way
            self._start_later(now + delay_seconds(len(self._deaths)))
        if len(self._deaths) >= CRASHES_MAX and len(self._deaths) % CRASHES_MAX == 0:
            log.error("crash_loop", deaths=len(self._deaths), seconds=CRASH_SPAN.total_seconds())
            self._on_crash_loop()

    def _start_later(self, at: float) -> None:
        self._start_at.append(at)
        self._start_at.sort()

    def _replace(self) -> None:
        """One at a time: the new one answers before the old one leaves."""
        if self._replacement is not None and self._replacement.is_ready:
            self._replacement = None
            if self._outdated and len(self._staying()) > self._count:
                self._outdated.popleft().ask_to(worker.LEAVE, STOP_SECONDS)
        if self._outdated and self._replacement is None:
            self._replacement = self._start()


def new_counts() -> str:
    """An empty folder in which workers count; those that killed supervisors left are removed."""
    folder, prefix = Path(tempfile.gettempdir()), "pilotage-counts-"
    for path in folder.glob(f"{prefix}*"):
        if has_died(path.name.removeprefix(prefix)):
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{prefix}{this_process()}-")


def delay_seconds(deaths: int) -> float:
    """How long to wait after the last of so many deaths within a minute."""
    return 0.0 if deaths <= 1 else float(min(_FIRST_DELAY_SECONDS * 2 ** (deaths - 2), _DELAY_SECONDS_MAX))
