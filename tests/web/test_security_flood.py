"""One caller who asks far more than they may: refused, and the others are answered as ever."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import re
import selectors
import socket
import statistics
import threading
import time
from collections import Counter
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

import httpx
import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from tests.web.serving import BODY, Served, served

PATH = "/v1/use-cases/small/decisions"
MAY = 60
CONNECTIONS = 16
BLOCKS = 8
BLOCK_SECONDS = 8.0
EVERY_SECONDS = 0.02
MOVED_MAX = 1.10
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


class Flood:
    """A program with many connections that asks on and on with one key, and minds no refusal.

    One thread over plain sockets: the program itself takes as little of the machine as can be.
    """

    def __init__(self, address: str, key: str) -> None:
        self.came: Counter[int] = Counter()
        self._over = threading.Event()
        self._at = urlsplit(address)
        content = json.dumps(BODY).encode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._asked = head.encode() + content
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with selectors.DefaultSelector() as waiting, contextlib.ExitStack() as opened:
            for _ in range(CONNECTIONS):
                connection = opened.enter_context(socket.create_connection((self._at.hostname, self._at.port)))
                connection.sendall(self._asked)
                waiting.register(connection, selectors.EVENT_READ)
            while not self._over.is_set():
                for ready, _ in waiting.select(0.1):
                    for status in _STATUS.findall(ready.fileobj.recv(65_536)):  # type: ignore[union-attr]
                        self.came[int(status)] += 1
                        ready.fileobj.sendall(self._asked)  # type: ignore[union-attr]


def flooding(address: str, key: str, on: Event, over: Event) -> None:
    """The flood in a process of its own, as long as it is on."""
    while not over.is_set():
        if on.wait(0.1):
            flood = Flood(address, key)
            while on.is_set() and not over.is_set():
                time.sleep(0.05)
            flood.stop()


def greedy_key(work: Workspace) -> str:
    return governing.make_key(work, SYSTEM, "greedy", (Grant(Role.APP, "small"),), MAY)


def asked_steadily(here: Served, seconds: float) -> list[float]:
    """What one who asks at a steady pace waited each time, in milliseconds; refusals are failures."""
    waited = []
    with httpx.Client(base_url=here.address, headers=here.headers, timeout=20) as client:
        client.post(PATH, json=BODY)
        began = time.perf_counter()
        for number in range(int(seconds / EVERY_SECONDS)):
            time.sleep(max(0.0, began + number * EVERY_SECONDS - time.perf_counter()))
            at = time.perf_counter()
            assert client.post(PATH, json=BODY).status_code == 200
            waited.append((time.perf_counter() - at) * 1000)
    return waited


def test_who_asks_too_often_is_refused_and_the_others_are_answered(work: Workspace) -> None:
    greedy = greedy_key(work)
    with served(work, 1) as here:
        flood = Flood(here.address, greedy)
        try:
            waited = asked_steadily(here, 2.0)
        finally:
            flood.stop()
    assert set(flood.came) == {200, 429}
    assert MAY <= flood.came[200] <= MAY + MAY / 10
    assert flood.came[429] > 20
    assert flood.came[429] < 600, "each refusal waits, so that a program that minds none asks no faster"
    assert len(waited) == 100


@pytest.mark.long
def test_a_flood_by_one_caller_moves_the_others_p99_by_less_than_a_tenth(
    work: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks with and without the flood take turns, so that what else the machine does falls on both alike."""
    greedy = greedy_key(work)
    spawning = multiprocessing.get_context("spawn")
    on, over = spawning.Event(), spawning.Event()
    quiet: list[float] = []
    loud: list[float] = []
    with served(work, 1) as here:
        program = spawning.Process(target=flooding, args=(here.address, greedy, on, over), daemon=True)
        program.start()
        try:
            asked_steadily(here, 2.0)
            for number in range(BLOCKS):
                (on.set if number % 2 else on.clear)()
                time.sleep(0.5)
                (loud if number % 2 else quiet).extend(asked_steadily(here, BLOCK_SECONDS))
        finally:
            over.set()
            program.join(20)
            program.kill()
    p99 = [statistics.quantiles(each, n=100)[98] for each in (quiet, loud)]
    middle = [statistics.median(each) for each in (quiet, loud)]
    with capsys.disabled():
        print(
            f"\nFlood by one caller on {CONNECTIONS} connections: the others' p99 {p99[0]:.2f} ms alone, "
            f"{p99[1]:.2f} ms beside it ({p99[1] / p99[0]:.2f} times), median {middle[0]:.2f} and {middle[1]:.2f} ms, "
            f"n = {len(quiet):,} each"
        )
    assert p99[1] < p99[0] * MOVED_MAX
