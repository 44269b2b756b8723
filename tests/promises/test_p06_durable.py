"""Promise 6: acknowledged means durable. Crashes that drop and tear what was not synced; a server that is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pilotage.decisions import flow, store
from pilotage.decisions.durable.completeness import completeness
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from tests.decisions.crashing import live_through
from tests.decisions.losing import HERE
from tests.decisions.test_service import FILE
from tests.promises.table import Promise

CRASHES = {"sqlite": 2_000, "postgresql": 1_000}
"""By the ledger that the spool is drained into: three thousand in all."""


@pytest.mark.long
@pytest.mark.both_stores
def test_three_thousand_crashes_lose_and_repeat_nothing(
    work: Workspace, store: str, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    lived = live_through(work, CRASHES[store], 6, monkeypatch)
    assert lived.in_drain > CRASHES[store] // 30
    figure = f"0 lost, 0 repeated of {len(lived.acknowledged):,} acknowledged ({len(lived.attempted):,} attempted)"
    promise(6, what=f"crashes, {store}", figure=figure, n=lived.crashes, passed=lived.crashes == CRASHES[store])


KILLS = 5 if os.environ.get("PROMISES") else 1
ANSWERS = 300
ASKING = 6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(work: Workspace, port: int, workers: int = 2, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The real server with so many workers, in a process group of its own."""
    environment = {**HERE, "PILOTAGE_HOME": str(work.home), "PILOTAGE_LOG_LEVEL": "CRITICAL", **more}
    command = [sys.executable, "-m", "pilotage", "serve", "--port", str(port), "--workers", str(workers)]
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


class Askers:
    """Apps that ask and keep the identifier of every answer that they got."""

    def __init__(self, port: int, key: str) -> None:
        self.answers: dict[str, dict[str, object]] = {}
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=5
        )
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(ASKING)]

    def ask_until(self, count: int) -> None:
        """Keep asking, from several threads, until so many answers came."""
        for thread in self._threads:
            thread.start()
        until = time.monotonic() + 60
        while len(self.answers) < count:
            assert time.monotonic() < until, f"only {len(self.answers)} answers in a minute"
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _ask(self, number: int) -> None:
        body = {"thing": f"t{number}", "size": 7, "at": "2013-12-05T19:00:00Z"}
        while not self._stop.is_set():
            try:
                reply = self._client.post("/v1/use-cases/small/decisions", json=body)
            except httpx.HTTPError:  # not there yet, or killed under us: no answer came
                time.sleep(0.05)
                continue
            if reply.status_code == 200 and "not_recorded" not in reply.json().get("flags", ()):
                self.answers[reply.json()["id"]] = reply.json()


def test_a_server_that_is_killed_under_load_has_every_answer_in_its_ledger_once(
    work: Workspace, promise: Promise
) -> None:
    adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))
    port = free_port()
    answered: dict[str, dict[str, object]] = {}
    for _ in range(KILLS):
        with served(work, port) as server:
            askers = Askers(port, key)
            try:
                askers.ask_until(ANSWERS)
                os.killpg(server.pid, signal.SIGKILL)
            finally:
                askers.stop()
            answered |= askers.answers
    with served(work, port, workers=1, PILOTAGE_DRAIN_SECONDS="0") as server:  # what both left behind is its alone
        askers = Askers(port, key)
        try:
            askers.ask_until(1)
        finally:
            askers.stop()
        answered |= askers.answers
        server.terminate()
        assert server.wait(timeout=30) in (0, -signal.SIGTERM)
    with work.database.reading() as connection:
        kept = {each.id: each for each in store.recent(connection, "small", 100_000)}
        assert store.count(connection) == len(kept)
    assert len(answered) > KILLS * ANSWERS
    assert all(kept[name].action == said["action"] for name, said in answered.items() if name in kept)
    assert flow.verify_recorded(work).valid
    found = completeness(work)
    assert (found.missing, found.elsewhere) == (0, 0)
    assert found.durable == len(kept)
    lost = len(answered.keys() - kept.keys())
    promise(6, what="kill -9", figure=f"{lost} lost in {KILLS} kills", n=len(answered), passed=lost == 0)


FAILING = """
import errno, os, pathlib
sync, broken = os.fsync, pathlib.Path(os.environ["BROKEN"])
def fsync(descriptor):
    if broken.exists():
        raise OSError(errno.EIO, "the device is gone")
    sync(descriptor)
os.fsync = fsync
"""
"""What Python runs first in each worker: a disk that fails to sync as long as a file is there."""


@pytest.mark.long
def test_workers_whose_disk_failed_answer_on_and_record_again_when_it_works(work: Workspace, tmp_path: Path) -> None:
    adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "sitecustomize.py").write_text(FAILING)
    broken, port = tmp_path / "broken", free_port()
    path = os.pathsep.join((str(tmp_path / "first"), HERE["PYTHONPATH"]))
    asked: list[tuple[float, int, bool]] = []

    def ask(client: httpx.Client) -> bool:
        body = {"thing": "t", "size": 7, "at": "2013-12-05T19:00:00Z"}
        try:
            reply = client.post("/v1/use-cases/small/decisions", json=body)
        except httpx.HTTPError:
            asked.append((time.monotonic(), 0, False))
            return False
        is_recorded = reply.status_code == 200 and "not_recorded" not in reply.json().get("flags", ())
        asked.append((time.monotonic(), reply.status_code, is_recorded))
        return is_recorded

    def ask_until(client: httpx.Client, wanted: bool, in_a_row: int) -> None:
        until, found = time.monotonic() + 90, 0
        while found < in_a_row:
            assert time.monotonic() < until, asked[-20:]
            found = found + 1 if ask(client) is wanted else 0
            time.sleep(0.02)

    with served(work, port, PYTHONPATH=path, BROKEN=str(broken)):
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"})
        ask_until(client, wanted=True, in_a_row=20)
        broken.touch()
        ask_until(client, wanted=False, in_a_row=40)
        assert all(status == 200 for _, status, _ in asked[-40:]), "there is always an answer"
        broken.unlink()
        client.close()
        fresh = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}", "Connection": "close"},  # so that both workers are asked
        )
        ask_until(fresh, wanted=True, in_a_row=100)
        fresh.close()
    assert completeness(work).missing == 0
