"""The real server with real workers, and apps that ask it steadily."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from tests.decisions.small import FILE

BODY = {"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}
START_SECONDS = 60
APPS = 4
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("PILOTAGE_")}


class Served:
    """A server, its workers, and a key that may ask it."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, key: str) -> None:
        self.process = process
        self.address = address
        self.headers = {"Authorization": f"Bearer {key}"}
        once = httpx.Limits(max_keepalive_connections=0)  # a connection for each request: any worker may take it
        self._client = httpx.Client(base_url=address, headers=self.headers, timeout=20, limits=once)

    def workers(self) -> set[int]:
        """The processes that answer, or are about to."""
        pid = self.process.pid
        return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def ask(self) -> httpx.Response:
        """One question."""
        return self._client.post("/v1/use-cases/small/decisions", json=BODY)

    def get(self, path: str) -> httpx.Response:
        """Look at an address."""
        return self._client.get(path)


@contextmanager
def served(work: Workspace, workers: int, **settings: str) -> Iterator[Served]:
    """``pilotage serve`` over this installation, with the small use case; killed at the end if it still runs."""
    adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**PLAIN, "PYTHONPATH": os.pathsep.join(sys.path), "PILOTAGE_HOME": str(work.home), **settings}
    command = [sys.executable, "-m", "pilotage", "serve", "--port", str(port), "--workers", str(workers)]
    with (work.home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    here = Served(process, f"http://127.0.0.1:{port}", key)
    try:
        wait_until(lambda: _answers(here), START_SECONDS)
        yield here
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(here: Served) -> bool:
    assert here.process.poll() is None, "the server ended"
    try:
        return here.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that must come true in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)


class Stream:
    """Apps that ask again and again on connections they keep, and count what came of it."""

    def __init__(self, here: Served, apps: int = APPS, pause_seconds: float = 0.02) -> None:
        self.came: Counter[str] = Counter()
        self._here = here
        self._pause_seconds = pause_seconds
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(apps)]

    def __enter__(self) -> Stream:
        for each in self._threads:
            each.start()
        wait_until(lambda: self.came["200"] >= 20)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._over.set()
        for each in self._threads:
            each.join()

    @property
    def failed(self) -> dict[str, int]:
        """What was no answer, and how often."""
        return {what: count for what, count in self.came.items() if what != "200"}

    def _ask(self) -> None:
        with httpx.Client(base_url=self._here.address, headers=self._here.headers, timeout=20) as client:
            while not self._over.wait(self._pause_seconds):
                try:
                    reply = client.post("/v1/use-cases/small/decisions", json=BODY)
                    self.came[str(reply.status_code)] += 1
                except httpx.HTTPError as error:
                    self.came[type(error).__name__] += 1
