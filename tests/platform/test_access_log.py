"""The access log goes on after its stream failed, and says how many lines that cost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime

import pytest

from pilotage.platform.access import AccessLog
from pilotage.platform.requests import Current


def until(done: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not done():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.mark.parametrize(
    "failure", [BrokenPipeError(), OSError(28, "full"), ValueError("I/O operation on closed file")]
)
def test_a_stream_that_fails_costs_its_lines_and_no_others(failure: Exception) -> None:
    calls: list[bytes] = []

    def write(content: bytes) -> None:
        calls.append(content)
        if len(calls) <= 2:
            raise failure

    log = AccessLog(1.0, write)
    for number in range(3):
        log.add(Current(f"r{number}"), "GET", "/x", 200, 0.1)
        until(lambda seen=number: len(calls) > seen)  # type: ignore[misc]
    log.close()
    kept = [json.loads(line) for line in calls[2].splitlines()]
    assert [line.get("request") for line in kept] == ["r2", None]
    assert (kept[1]["event"], kept[1]["lines"]) == ("request_lines_dropped", 2)


def test_a_request_that_was_refused_unread_has_the_same_line() -> None:
    calls: list[bytes] = []
    log = AccessLog(1.0, calls.append)
    log.add(Current("r1"), "POST", "/v1/x/{use_case:str}", 503, 0.0)
    log.add_refused("r1", 1, "POST", "/v1/x/{use_case:str}", 503)
    log.close()
    usual, refused = (json.loads(line) for line in b"".join(calls).splitlines())
    assert datetime.fromisoformat(refused.pop("timestamp")) >= datetime.fromisoformat(usual.pop("timestamp"))
    assert list(refused.items()) == list(usual.items())


def test_of_thousands_that_are_refused_some_have_lines_and_the_others_are_counted() -> None:
    calls: list[bytes] = []
    log = AccessLog(1.0, calls.append)
    for number in range(1_000):
        log.add_refused(f"r{number}", 1 + number % 9, "POST", "/v1/x/{use_case:str}", 503)
    asked = sum(1 + number % 9 for number in range(1_000))
    log.close()
    told = [json.loads(line) for line in b"".join(calls).splitlines()]
    single = [line for line in told if line["event"] == "request"]
    counted = [line for line in told if line["event"] == "requests_refused"]
    assert 100 <= len(single) < 1_000
    assert len(single) + sum(line["lines"] for line in counted) == asked
    assert {(line["status"], line["route"]) for line in told} == {(503, "/v1/x/{use_case:str}")}


def test_refusals_that_nobody_writes_are_counted_and_take_no_more_memory() -> None:
    calls: list[bytes] = []
    held, go = threading.Event(), threading.Event()

    def write(content: bytes) -> None:
        held.set()
        go.wait(30)
        calls.append(content)

    log = AccessLog(1.0, write)
    log.add_refused("r", 1, "POST", "/x", 503)
    assert held.wait(30)
    for _ in range(50_000):
        log.add_refused("r", 2, "POST", "/x", 503)
    assert len(log._lines) + len(log._unsaid) <= 20_100
    go.set()
    log.close()
    told = [json.loads(line) for line in b"".join(calls).splitlines()]
    assert sum(line.get("lines", 1) for line in told) == 100_001
