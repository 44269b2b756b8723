"""The client and the real service: what one says the other understands, and what is left when the service is gone."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn

from pilotage.app import Application
from pilotage.client import (
    AsyncClient,
    Client,
    InvalidRequest,
    LocalAnswer,
    NotAuthenticated,
    NotFound,
    Resilience,
    ServiceGone,
)
from pilotage.client import records as nouns
from pilotage.data import flow as data
from pilotage.decisions.records import Answer
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.models.records import Prediction
from pilotage.models.scoring import Scorer
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import adopt, parse_definition
from tests.living import NAME
from tests.promises.installation import BODY, installed

FILE = """
use_case: small
title: Small
owner: owner@example.com
brief:
  workflow: Somebody decides.
  users: People
  decision: Do it or not.
  kpi: Cost
  latency_ms: 500
  value: {{currency: USD, caught: 10, false_alarm: -5}}
sources:
  things: {{files: {folder}/things.csv, key: [thing], event_time: at, known_at: at}}
decision:
  entity: thing
  source: things
  moment: at
  request: {{size: number, at: datetime, colour: {{kind: category, required: false}}}}
outcome: {{source: things, positive: size > 3, says: is large}}
inputs: {{size: request, colour: request}}
rule: {{positive: "size > 5", says: it is larger than five}}
policy:
  actions: {{positive: Do it, negative: Leave it}}
  default: negative
"""
LARGE = {"thing": "t1", "size": 7, "at": datetime(2013, 12, 5, 19, tzinfo=UTC)}
SMALL = LARGE | {"thing": "t2", "size": 3}
PATIENCE_MS = 10_000
TRIES = 3
"""These tests run beside others on a small machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(work: Workspace, port: int) -> Iterator[None]:
    """This installation behind a real server."""
    config = uvicorn.Config(Application(work), "127.0.0.1", port, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=20)


class Running:
    """One installation behind a real server, which can be stopped and started again at its address."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.parent.joinpath("things.csv").write_text("thing,size,colour,at\nt0,4,red,2013-12-01T08:00:00Z\n")
        with self._opened() as work:
            definition = adopt(work, parse_definition(FILE.format(folder=home.parent), "small.yaml"), SYSTEM)
            data.sync(work, definition)
            self.key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def _opened(self) -> Iterator[Workspace]:
        work = open_workspace(Settings(home=self.home), FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC)))
        try:
            yield work
        finally:
            work.close()

    @contextmanager
    def up(self) -> Iterator[None]:
        with self._opened() as work, serving(work, self.port):
            yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation") / "home"


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Running]:
    installation = Running(home)
    with installation.up():
        yield installation


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    with Client(running.address, running.key, timeout_ms=PATIENCE_MS) as client:
        yield client


def test_the_service_answers_and_keeps_what_it_answered(client: Client) -> None:
    large, small = client.decide("small", LARGE, fallback=False), client.decide("small", SMALL, fallback=True)

    assert (large.produced_by, large.positive, large.action, large.is_yes) == ("rule", True, "Do it", True)
    assert (small.produced_by, small.positive, small.action, small.is_yes) == ("rule", False, "Leave it", False)
    assert (large.use_case, large.entity, large.reason) == ("small", "t1", "off")
    assert _kept(client, large.id) == large
    assert client.fallback_counts() == {}


def test_the_awaited_client_gets_the_same(running: Running) -> None:
    async def ask() -> list[nouns.Decision]:
        async with AsyncClient(running.address, running.key, timeout_ms=PATIENCE_MS) as client:
            return await asyncio.gather(*(client.decide("small", LARGE | {"thing": f"a{n}"}) for n in range(20)))

    decided = asyncio.run(ask())
    assert [each.entity for each in decided] == [f"a{n}" for n in range(20)]
    assert {each.produced_by for each in decided} == {"rule"}
    assert len({each.id for each in decided}) == 20


def test_every_field_of_the_service_s_answer_is_known_to_the_client() -> None:
    ours = {field.encode_name: field.type for field in msgspec.structs.fields(nouns.Decision)}
    theirs = {field.encode_name for field in msgspec.structs.fields(Answer)}
    assert ours.keys() == theirs


def test_mistakes_of_the_caller_are_told_in_the_service_s_words(client: Client, running: Running) -> None:
    with pytest.raises(InvalidRequest) as wrong:
        client.decide("small", {"thing": "t1", "size": "large"}, fallback=True)
    assert {problem.where for problem in wrong.value.problems} >= {"size", "at"}
    assert "size" in str(wrong.value)
    with pytest.raises(NotFound, match="nowhere"):
        client.decide("nowhere", LARGE, fallback=True)
    with pytest.raises(NotFound, match="dec_none"):
        client.decision("dec_none")
    with Client(running.address, "pk_wrong", timeout_ms=PATIENCE_MS) as stranger, pytest.raises(NotAuthenticated):
        stranger.decide("small", LARGE, fallback=True)


def test_feedback_and_a_card_s_token(client: Client) -> None:
    decided = client.decide("small", LARGE | {"thing": "t9"})
    _kept(client, decided.id)

    given = client.feedback(decided.id, "override", "maria", reason="it is broken")
    assert (given.decision, given.kind, given.person, given.reason) == (decided.id, "override", "maria", "it is broken")
    with pytest.raises(InvalidRequest):
        client.feedback(decided.id, "override", "maria")

    minted = client.card_token("small", entity="t9", origin="https://app.example", person="maria", actions=["useful"])
    assert minted.decision == decided.id
    assert minted.token.count(".") == 2
    assert minted.expires_at.startswith("2013-12-05T20:05:00")


def test_the_request_s_schema(client: Client) -> None:
    assert {"thing", "size", "at", "colour"} <= client.schema("small")["properties"].keys()


def test_a_batch_has_a_row_for_each_request(client: Client) -> None:
    try:
        rows = client.decide_batch("small", [LARGE, {"thing": "t1"}, SMALL], fallback=True)
    except NotFound as missing:
        pytest.skip(f"this service has no batch: {missing.detail}")
    assert [row.decision.positive if row.decision else None for row in rows] == [True, None, False]
    assert isinstance(rows[1].refused, InvalidRequest)


def test_half_a_letter_is_the_caller_s_mistake_in_the_service_s_words(client: Client, running: Running) -> None:
    broken = LARGE | {"thing": "t\ud83d"}
    with pytest.raises(InvalidRequest, match="half of a letter"):
        client.decide("small", broken, fallback=False)
    with pytest.raises(InvalidRequest, match=r"surrogate|escape|truncated"):
        client.feedback("dec_1", "wrong", "maria", reason="\ud83d")
    of_whole, of_broken = client.decide_batch("small", [LARGE, broken], fallback=False)
    assert of_whole.decision is not None and of_whole.decision.positive
    assert of_broken.decision is None and isinstance(of_broken.refused, InvalidRequest)
    assert "half of a letter" in str(of_broken.refused)

    async def ask() -> None:
        async with AsyncClient(running.address, running.key, timeout_ms=PATIENCE_MS) as awaited:
            await awaited.decide("small", broken, fallback=False)

    with pytest.raises(InvalidRequest):
        asyncio.run(ask())
    assert client.fallback_counts() == {}


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """When set, models do not answer before the test is over."""
    hangs, is_over, predict = threading.Event(), threading.Event(), Scorer.predict

    def predicted(self: Scorer, values: Any) -> Prediction:
        time.sleep(0.002)  # one that answers faster is asked where nothing can cut it short
        if hangs.is_set():
            is_over.wait(60)
        return predict(self, values)

    monkeypatch.setattr(Scorer, "predict", predicted)
    yield hangs
    is_over.set()


def test_an_answer_that_the_caller_s_time_cut_short_reaches_the_caller(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, hanging: threading.Event
) -> None:
    async def ask(address: str) -> nouns.Decision:
        async with AsyncClient(address, here.key, timeout_ms=1_000) as client:
            return await client.decide(NAME, BODY, fallback=False)

    def arrived(asking: Callable[[], nouns.Decision]) -> nouns.Decision:
        """The first answer in time: one is late where the machine stands still for longer than the client keeps."""
        for _ in range(TRIES):
            answer = asking()
            if answer.reason != "timed_out":
                break
        return answer

    here, port = installed(work, monkeypatch, latency_ms=10_000), free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(work, port), Client(address, here.key, timeout_ms=1_000) as client:
        assert client.decide(NAME, BODY, timeout_ms=PATIENCE_MS).produced_by == "model"
        hanging.set()
        first = arrived(lambda: client.decide(NAME, BODY, fallback=False))
        second = arrived(lambda: asyncio.run(ask(address)))

    assert [each.produced_by for each in (first, second)] == ["rule"] * 2
    assert {first.reason, second.reason} <= {"too_slow", "overloaded"}, "who tries again finds all threads hanging"
    assert first.id and second.id


def test_a_service_that_goes_and_comes_back_costs_no_answer(tmp_path: Path) -> None:
    installation = Running(tmp_path / "home")
    rule = LocalAnswer(True, "Call the desk")
    resilience = Resilience(breaker_failures=3, breaker_pause_ms=50, backoff_ms=1)
    told: list[nouns.FellBack] = []
    with Client(
        installation.address, installation.key, timeout_ms=PATIENCE_MS, on_fallback=told.append, resilience=resilience
    ) as client:
        with installation.up():
            assert client.decide("small", SMALL, fallback=rule).produced_by == "rule"
        gone = [client.decide("small", SMALL, fallback=rule) for _ in range(5)]
        time.sleep(0.06)
        with installation.up():
            back = client.decide("small", SMALL, fallback=rule)

    assert {(each.produced_by, each.action, each.id) for each in gone} == {("fallback", "Call the desk", "")}
    assert {each.reason for each in gone} == {"unreachable", "circuit_open"}
    assert [each.decision for each in told] == gone == [each.decision for each in client.recent_fallbacks()]
    assert (back.produced_by, back.positive) == ("rule", False)


def _kept(client: Client, identifier: str) -> nouns.Decision:
    """The decision out of the ledger, into which it is drained soon after it was answered."""
    until = time.monotonic() + 10
    while True:
        try:
            return client.decision(identifier)
        except (NotFound, ServiceGone):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
