"""The first look at a large ledger after a start: nobody waits for it to be counted."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from tests.embed.hosting import serving
from tests.living import visitor
from tests.review.arranging import NAME, adopt, go_live, recorded

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.monitor import flow, lately, readings_store
from pilotage.monitor.records import Operation
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import StillCounting
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console

pytestmark = pytest.mark.both_stores


class Counting:
    """Counts the ledger, once it is let."""

    def __init__(self) -> None:
        self.go, self.times = threading.Event(), 0

    def operation(self, work: Workspace, definition: Definition, version: str | None = None) -> Operation:
        self.go.wait(30)
        self.times += 1
        return self.real(work, definition, version)

    real = staticmethod(flow.operation)


@pytest.fixture
def counting(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    """Of a ledger that counts as large; whoever waits for it, waits a tenth of a second."""
    counting = Counting()
    monkeypatch.setattr(flow, "operation", counting.operation)
    monkeypatch.setattr(lately, "LARGE", 1)
    monkeypatch.setattr(lately, "PATIENCE_SECONDS", 0.1)
    yield counting
    counting.go.set()
    _until(lambda: not lately._being_read)


def restarted() -> None:
    """As a new process begins: it knows nothing."""
    _until(lambda: not lately._being_read)
    lately._kept.clear()


def _until(true_soon: object) -> None:
    end = time.monotonic() + 20
    while not true_soon():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def counted(work: Workspace, definition: Definition) -> Operation:
    """The reading, as somebody has it who loads the page until it is there."""
    while True:
        with suppress(StillCounting):
            return lately.operation(work, definition)


def many(work: Workspace) -> Definition:
    definition = adopt(work)
    go_live(work)
    recorded(work), recorded(work)
    return definition


def test_what_was_counted_before_a_restart_is_shown_with_its_instant(
    work: Workspace, counting: Counting, clock: FixedClock
) -> None:
    definition, before = many(work), clock.now()
    counting.go.set()
    assert counted(work, definition) == Counting.real(work, definition)
    recorded(work)
    clock.advance(timedelta(days=1))
    restarted()
    counting.go.clear()

    began = time.monotonic()
    found = lately.operation(work, definition)

    assert time.monotonic() - began < 5
    assert (found.decisions, lately.counted_at(work, definition)) == (2, before)
    counting.go.set()
    _until(lambda: lately.operation(work, definition).decisions == 3)
    assert lately.counted_at(work, definition) == before + timedelta(days=1)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each reading may be waited for, in seconds."""
    real, told = lately._patience_seconds, list[float]()
    monkeypatch.setattr(lately, "_patience_seconds", lambda: told.append(real()) or told[-1])
    return told


@pytest.mark.parametrize("page", ["/", f"/use-cases/{NAME}", f"/use-cases/{NAME}/operate", "/ranking"])
def test_a_page_with_several_old_readings_waits_for_all_of_them_as_long_as_for_one(
    work: Workspace, counting: Counting, waits: list[float], clock: FixedClock, page: str
) -> None:
    shown = looked_at_later(work, counting, waits, clock, page, took_seconds=0.001)
    assert "being counted for the first time" not in shown
    assert len(waits) > 1
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < lately.PATIENCE_SECONDS, "each reading was waited for anew"


def test_old_readings_that_take_long_are_shown_at_once(
    work: Workspace, counting: Counting, waits: list[float], clock: FixedClock
) -> None:
    shown = looked_at_later(work, counting, waits, clock, f"/use-cases/{NAME}", took_seconds=8.0)
    assert "Counted at" in shown and waits == []


def looked_at_later(
    work: Workspace, counting: Counting, waits: list[float], clock: FixedClock, page: str, took_seconds: float
) -> str:
    """A page after a restart, when the readings are old that took so long, and new ones are not ready."""
    many(work)
    counting.go.set()
    with visitor(work, Role.VIEWER) as person:
        _until(lambda: "Counted at" in person.get(f"/use-cases/{NAME}").text)
        restarted()
        clock.advance(timedelta(minutes=10))
        counting.go.clear()
        waits.clear()
        with work.database.writing() as connection:
            connection.execute(readings_store.readings.update().values(seconds=took_seconds))
        return person.get(page).text


def test_what_another_worker_counted_is_not_counted_again(
    work: Workspace, counting: Counting, monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    definition = many(work)
    counting.go.set()
    counted(work, definition)
    mine = dict(lately._kept)
    clock.advance(timedelta(hours=1))
    recorded(work)
    lately._kept.clear()
    _until(lambda: counted(work, definition).decisions == 3)  # the other worker's, an hour later
    restarted()
    lately._kept.update(mine)
    monkeypatch.setattr(lately.time, "monotonic", lambda real=time.monotonic: real() + 7_200)
    before = counting.times

    lately.operation(work, definition)
    _until(lambda: lately.operation(work, definition).decisions == 3)
    assert counting.times == before


def test_of_another_file_nothing_is_shown_that_was_counted_of_this_one(work: Workspace, counting: Counting) -> None:
    definition = many(work)
    counting.go.set()
    counted(work, definition)
    restarted()
    place = readings_store.Place(NAME, "operation", "", False)
    with work.database.reading() as connection:
        assert readings_store.find(connection, place, definition.fingerprint) is not None
        assert readings_store.find(connection, place, "another") is None


def test_pages_of_a_ledger_that_was_never_counted_say_so_and_have_the_switch(
    work: Workspace, counting: Counting
) -> None:
    definition = many(work)
    password = governing.add_person(work, SYSTEM, "lead", (Grant(Role.OWNER, NAME),))
    cookies = {SESSION: governing.log_in(work, "lead", password)}
    with serving(build_console(work)) as origin, httpx.Client(base_url=origin, cookies=cookies, timeout=30) as client:
        began = time.monotonic()
        for page in (f"/use-cases/{NAME}/operate", f"/use-cases/{NAME}"):
            answer = client.get(page)
            assert answer.status_code == 200
            assert "The figures are being counted" in answer.text
            assert f"/use-cases/{NAME}/switch" in answer.text
        readiness = client.get(f"/use-cases/{NAME}/readiness")
        assert readiness.status_code == 503
        assert "The figures are being counted" in readiness.text
        listed = client.get("/")
        assert listed.status_code == 200
        assert "being counted for the first time" in listed.text
        assert definition.use_case.title in listed.text
        assert time.monotonic() - began < 15
        counting.go.set()
        _until(lambda: "Still safe?" in client.get(f"/use-cases/{NAME}/operate").text)
        page = client.get(f"/use-cases/{NAME}/operate").text
        assert re.search(r"Counted at <time[^>]*>5 Dec 2013, 20:00 UTC", page)
        _until(lambda: client.get("/").status_code == 200 and "being counted" not in client.get("/").text)


def test_a_command_counts_anew_and_waits(work: Workspace, counting: Counting) -> None:
    definition = many(work)
    with pytest.raises(StillCounting):
        lately.operation(work, definition)
    threading.Timer(0.5, counting.go.set).start()
    with lately.anew():
        assert lately.operation(work, definition).decisions == 2
