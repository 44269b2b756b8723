"""What is the Python client's own: what it imports, how threads and cancelled tasks share it, what it refuses."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import pilotage.client
from pilotage.client import AsyncClient, Client, Decision, Feedback, Resilience
from pilotage.client.exchange import Asked, Exchange, Reply
from pilotage.client.resilience import Breaker, Health, RetryBudget
from tests.client.script import playing

SOURCE = Path(pilotage.client.__file__).parents[2]
ANSWER = {"id": "dec_1", "use_case": "u", "action": "Do it", "produced_by": "rule", "reason": "off", "positive": True}


def test_importing_it_brings_nothing_of_the_server() -> None:
    code = "import sys, pilotage.client; print(*{name.split('.')[0] for name in sys.modules})"
    before = "import sys, httpx, msgspec; print(*{name.split('.')[0] for name in sys.modules})"
    assert _printed(code) - _printed(before) <= {"pilotage"} | sys.stdlib_module_names
    rooms = "import sys, pilotage.client; print(*(name for name in sys.modules if name.startswith('pilotage')))"
    assert {name.split(".")[1] for name in _printed(rooms) if "." in name} == {"client"}


def test_it_is_typed() -> None:
    assert (SOURCE / "pilotage" / "py.typed").exists()
    assert all(hasattr(pilotage.client, name) for name in pilotage.client.__all__)


@pytest.mark.parametrize("address", ["pilotage.example", "ftp://pilotage.example", "https://", "https://a/?b=1", ""])
@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_an_address_that_is_none_is_told_at_once(make: Callable[..., Any], address: str) -> None:
    with pytest.raises(ValueError, match="address must be like"):
        make(address, "pk_1")


@pytest.mark.parametrize("timeout_ms", [0, -5, float("nan"), float("inf")])
def test_a_time_that_is_none_is_told_at_once(timeout_ms: float) -> None:
    with pytest.raises(ValueError, match="timeout_ms"):
        Client("https://pilotage.example", "pk_1", timeout_ms=timeout_ms)
    with Client("https://pilotage.example", "pk_1") as client, pytest.raises(ValueError, match="timeout_ms"):
        client.decide("u", {}, timeout_ms=timeout_ms)


def test_an_address_may_have_a_path_and_a_slash() -> None:
    with (
        playing([{"status": 200, "body": ANSWER}]) as (address, arrived),
        Client(f"{address}/pilotage/", "k") as client,
    ):
        client.decide("u", {})
    assert arrived[0].path == "/pilotage/v1/use-cases/u/decisions"


def test_what_is_no_json_is_the_caller_s_mistake_and_is_not_sent() -> None:
    with (
        playing([{"status": 200, "body": ANSWER}]) as (address, arrived),
        Client(address, "pk_1") as client,
        pytest.raises(TypeError),
    ):
        client.decide("u", {"size": object()}, fallback=True)
    assert arrived == []


def test_a_decision_that_nobody_took_is_no_yes_however_it_was_made() -> None:
    taken = Decision(id="", use_case="u", action="", produced_by="fallback", reason="unreachable", positive=True)
    assert taken.is_yes
    assert not msgspec.structs.replace(taken, produced_by="none").is_yes
    assert not msgspec.structs.replace(taken, positive=None, answer="yes").is_yes


def test_a_callback_that_fails_costs_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    def fails(told: object) -> None:
        raise OSError("the log is full")

    caplog.set_level(logging.ERROR, "pilotage.client")
    with playing(None) as (address, _), Client(address, "pk_1", on_fallback=fails) as client:
        assert client.decide("u", {}, fallback=True).produced_by == "fallback"
    assert "on_fallback failed" in caplog.text


def test_the_newest_hundred_fallbacks_are_listed() -> None:
    with playing(None) as (address, _), Client(address, "pk_1") as client:
        for number in range(130):
            client.decide("u", {"number": number}, fallback=True)
        assert [each.request["number"] for each in client.recent_fallbacks()] == list(range(30, 130))
        assert sum(client.fallback_counts().values()) == 130


def test_of_many_threads_on_an_open_breaker_one_tries() -> None:
    script = [{"status": 500, "text": ""}, {"status": 200, "body": ANSWER, "delay_ms": 1_500}]
    resilience = Resilience(breaker_failures=1, breaker_pause_ms=1)
    with playing(script) as (address, arrived), Client(address, "pk_1", resilience=resilience) as client:
        client.decide("u", {})
        time.sleep(0.01)  # the pause is over
        barrier = threading.Barrier(8)

        def ask(_: int) -> str:
            barrier.wait(5)
            return client.decide("u", {}, fallback=False, timeout_ms=5_000).reason

        with ThreadPoolExecutor(8) as pool:
            reasons = sorted(pool.map(ask, range(8)))
    assert reasons == ["circuit_open"] * 7 + ["off"]
    assert len(arrived) == 2


def test_a_trial_that_is_cancelled_does_not_leave_the_breaker_waiting_for_it() -> None:
    script = [{"status": 500, "text": ""}, {"status": 200, "body": ANSWER, "delay_ms": 2_000}]
    resilience = Resilience(breaker_failures=1, breaker_pause_ms=1)

    async def play(address: str) -> str:
        async with AsyncClient(address, "pk_1", resilience=resilience, timeout_ms=5_000) as client:
            await client.decide("u", {})
            await asyncio.sleep(0.01)
            trial = asyncio.create_task(client.decide("u", {}))
            await asyncio.sleep(0.1)
            trial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trial
            script[1:] = [{"status": 200, "body": ANSWER}]
            return (await client.decide("u", {})).reason

    with playing(script) as (address, _):
        assert asyncio.run(play(address)) == "off"


def test_a_name_that_takes_long_to_look_up_costs_no_more_than_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: released.wait(5) and [])
    with Client("http://pilotage.example", "pk_1", timeout_ms=150) as client:
        began = time.monotonic()
        decided = client.decide("u", {}, fallback=True)
        seconds = time.monotonic() - began
        released.set()
    assert (decided.produced_by, decided.reason) == ("fallback", "timed_out")
    assert seconds < 1.5


FORKING = """
import os, sys
from pilotage.client import Client
client = Client(sys.argv[1], "pk_1", timeout_ms=5_000)
assert client.decide("u", {}).produced_by == "rule"
child = os.fork()
said = client.decide("u", {}).produced_by
if not child:
    os._exit(0 if said == "rule" else 1)
assert said == "rule" and os.waitpid(child, 0)[1] == 0
client.close()
print("both")
"""


def test_a_process_that_forks_keeps_asking_on_both_sides() -> None:
    with playing([{"status": 200, "body": ANSWER}]) as (address, arrived):
        assert _printed(FORKING, address) == {"both"}
    assert len(arrived) == 3


def test_connections_of_one_s_own_are_used_and_left_open() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ANSWER, headers={"asked": str(request.url)})

    with httpx.Client(transport=httpx.MockTransport(answers)) as http:
        with Client("https://pilotage.example", "pk_1", http=http) as client:
            assert client.decide("u", {}).is_yes
        assert not http.is_closed


def test_a_compressed_answer_that_is_broken_is_no_answer() -> None:
    reply = {"status": 200, "text": "not gzip", "headers": {"Content-Encoding": "gzip"}}
    with playing([reply]) as (address, _), Client(address, "pk_1") as client:
        decided = client.decide("u", {}, fallback=True)
    assert (decided.produced_by, decided.reason) == ("fallback", "unreadable")


def test_threads_spend_no_more_than_the_budget_has() -> None:
    budget = RetryBudget(0.1, 50)
    with ThreadPoolExecutor(8) as pool:
        spent = sum(pool.map(lambda _: budget.spend(), range(400)))
    assert spent == 50


def test_the_breaker_by_a_clock_of_its_own() -> None:
    now = [0.0]
    breaker = Breaker(2, 10.0, lambda: now[0])
    breaker.failed()
    assert breaker.admits()
    breaker.failed()
    assert breaker.is_open
    assert not breaker.admits()
    now[0] = 10.0
    assert breaker.admits()
    assert not breaker.admits()
    breaker.abandoned()
    assert breaker.admits()
    breaker.failed()
    now[0] = 19.9
    assert not breaker.admits()
    now[0] = 20.0
    assert breaker.admits()
    breaker.succeeded()
    assert not breaker.is_open


def _printed(code: str, *more: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *more], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("left_ms", "told_ms"), [(1, 1), (20, 10), (50, 30), (100, 75), (250, 187), (1_000, 750), (10_000, 9_750)]
)
def test_the_service_is_told_less_than_is_left(left_ms: float, told_ms: int) -> None:
    asked = Asked(kind="decide", method="POST", path="/", read=bytes)
    attempt = Exchange(asked, Health(Resilience(), lambda: 0.0), left_ms).attempt()
    assert attempt is not None
    assert attempt.headers["X-Request-Timeout-Ms"] == str(told_ms)
    assert attempt.due == left_ms / 1000


def test_where_no_time_is_said_what_is_not_yet_there_is_asked_for_again_after_its_second() -> None:
    """One server is asked for a decision and told feedback on it, which another has still to hand on."""
    early = {"status": 503, "text": "", "headers": {"Retry-After": "1"}}
    found = ANSWER | {"decision": "dec_1", "kind": "useful", "person": "maria"}

    async def play(address: str) -> tuple[Decision, Feedback]:
        async with AsyncClient(address, "pk_1") as client:
            return await asyncio.gather(client.decision("dec_1"), client.feedback("dec_1", "useful", "maria"))

    with playing([early, early, {"status": 200, "body": found}]) as (address, arrived):
        decision, feedback = asyncio.run(play(address))
    assert (decision.id, feedback.kind) == ("dec_1", "useful")
    assert sorted(each.method for each in arrived) == ["GET", "GET", "POST", "POST"]
    assert len({each.headers["idempotency-key"] for each in arrived if each.method == "POST"}) == 1


@pytest.mark.parametrize("said", ["soon", "", "Mon, 01 Jan 2029 00:00:00 +99999999999999999999", "Mon, 99 Foo"])
def test_a_wait_that_cannot_be_read_keeps_nobody_from_the_local_answer(said: str) -> None:
    refused = {"status": 503, "text": "", "headers": {"Retry-After": said}}
    with playing([refused] * 5) as (address, _), Client(address, "pk_1", timeout_ms=2_000) as client:
        assert client.decide("u", {}, fallback=True).produced_by == "fallback"


def test_an_answer_that_nests_without_end_is_none() -> None:
    deep = {"status": 200, "text": "[" * 100_000}
    with playing([deep] * 5) as (address, _), Client(address, "pk_1", timeout_ms=2_000) as client:
        assert client.decide("u", {}, fallback=True).produced_by == "fallback"


def test_those_who_are_told_the_same_second_do_not_all_come_back_at_once() -> None:
    pauses = set()
    for _ in range(20):
        call = Exchange(Asked(kind="decision", method="GET", path="/", read=bytes), Health(Resilience()), 10_000)
        assert call.attempt() is not None
        call.heard(Reply(503, {"retry-after": "1"}, b""))
        pauses.add(call.pause)
    assert len(pauses) > 10
    assert all(1.0 <= pause <= 1.0 + Resilience().backoff_ms / 1000 for pause in pauses)
