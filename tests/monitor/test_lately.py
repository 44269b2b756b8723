"""Readings for pages: anew for a small ledger, kept and made beside for a large one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.review.arranging import adopt, recorded

from pilotage.monitor import flow, lately
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.rollout import flow as rolling
from pilotage.rollout.records import Criterion


def _until(true_soon: object) -> None:
    end = time.monotonic() + 20
    while not true_soon():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_small_ledger_is_read_for_every_page(work: Workspace) -> None:
    definition = adopt(work)
    recorded(work)
    assert lately.operation(work, definition).decisions == 1
    recorded(work)
    assert lately.operation(work, definition).decisions == 2


def test_a_large_ledger_is_read_beside_once_the_reading_is_old(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "LARGE", 1)
    definition = adopt(work)
    recorded(work), recorded(work)
    assert lately.operation(work, definition).decisions == 2
    recorded(work)
    assert lately.operation(work, definition).decisions == 2
    assert flow.operation(work, definition).decisions == 3
    monkeypatch.setattr(lately, "KEPT_SECONDS", 0.001)
    monkeypatch.setattr(lately, "KEPT_TIMES", 0)
    monkeypatch.setattr(lately, "SHOWN_TIMES", 1_000_000)
    key = lately._key(work, "operation", definition, None)
    lately.read_now(key, lambda: flow.operation(work, definition))
    recorded(work)
    assert lately.operation(work, definition).decisions == 3
    _until(lambda: lately.operation(work, definition).decisions == 4)


def test_a_reading_of_days_ago_is_not_shown(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "LARGE", 1)
    monkeypatch.setattr(lately, "KEPT_SECONDS", 0.001)
    monkeypatch.setattr(lately, "KEPT_TIMES", 0)
    definition = adopt(work)
    recorded(work), recorded(work)
    assert lately.operation(work, definition).decisions == 2
    recorded(work)
    time.sleep(0.01)

    assert lately.operation(work, definition).decisions == 3


def test_of_many_who_ask_first_one_reads(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "LARGE", 0)
    recorded(work)
    times: list[int] = []

    def slow() -> int:
        time.sleep(0.2)
        times.append(1)
        return len(times)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: lately.reading(work, ("first", str(work.home)), slow), range(6)))

    assert (found, times) == ([1] * 6, [1])


def test_one_thread_reads_what_many_ask_for_and_a_failure_keeps_what_was_known() -> None:
    key, go, times = ("x", "y"), threading.Event(), []

    def slow() -> int:
        go.wait(20)
        times.append(1)
        return len(times)

    for _ in range(5):
        lately.read_beside(key, slow)
    go.set()
    _until(lambda: lately.known(key) == 1)

    def broken() -> int:
        raise Conflict("It changed.", "Try again.")

    _until(lambda: key not in lately._being_read)
    lately.read_beside(key, broken)
    _until(lambda: key not in lately._being_read)
    assert (lately.known(key), len(times)) == (1, 1)


def test_a_large_ledger_is_verified_beside_the_page_and_the_gate_says_so(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "LARGE", 1)
    definition = adopt(work)
    recorded(work), recorded(work)

    def whole() -> Criterion:
        service = next(each for each in rolling.gates_to_show(work, definition) if each.gate == "service")
        return next(each for each in service.criteria if each.name == "recorded whole")

    assert whole().outcome in ("INCONCLUSIVE", "PASS")
    _until(lambda: whole().outcome == "PASS")
    assert next(each for each in rolling.gates(work, definition) if each.gate == "service").criteria
