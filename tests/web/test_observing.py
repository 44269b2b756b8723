"""Each request has an identifier that its caller, its problem and every line of the log name; and a line of its own."""

from __future__ import annotations

import asyncio
import re
import time
import timeit
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
import structlog

from pilotage.app import Application
from pilotage.govern.records import SYSTEM
from pilotage.models.records import Signal
from pilotage.platform import logs
from pilotage.platform.access import AccessLog
from pilotage.platform.requests import Current
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.small import FILE, Model, serving

MADE = re.compile(r"req_[0-9a-f]{20}_[0-9a-f]+")
CANARY = "canary-entity-of-somebody"


class Written:
    """The lines of an access log and of the program, as JSON."""

    def __init__(self) -> None:
        self.content = b""

    def __call__(self, content: bytes) -> None:
        self.content += content

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.content.splitlines()]


Ask = Callable[[httpx.AsyncClient, Application], Awaitable[None]]


def observed(work: Workspace, ask: Ask, share: float = 1.0, model: Model | None = None) -> list[dict[str, Any]]:
    """What the access log has of what ``ask`` asked."""
    written = Written()
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)

    async def once() -> None:
        ready = serving(definition, model or Model(lambda: 0.9))
        async with asked(work, ready, key_of(work, "dispatch app")) as (client, app):
            app._observing._log = AccessLog(share, written)
            await ask(client, app)
            app._observing.close()

    asyncio.run(once())
    return written.lines


def test_a_question_is_one_line_without_what_was_asked(work: Workspace) -> None:
    replies: list[httpx.Response] = []

    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        trace = {"X-Request-Id": "proxy-7:42"}
        replies.append(await client.post(PATH, json={**QUESTION, "thing": CANARY}, headers=trace))

    (line,) = observed(work, ask)
    assert replies[0].headers["x-request-id"] == "proxy-7:42"
    assert 0 < line.pop("duration") < 60_000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "event": "request",
        "request": "proxy-7:42",
        "method": "POST",
        "route": "/v1/use-cases/{use_case:str}/decisions",
        "status": 200,
        "caller": "dispatch app",
        "use_case": "small",
        "decision": replies[0].json()["id"],
    }


@pytest.mark.parametrize("bad", ["", "a b", "x" * 129, 'say "hi"', "pk\tx", "línea"])
def test_an_identifier_that_does_not_fit_is_replaced(work: Workspace, bad: str) -> None:
    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        given = [(b"x-request-id", bad.encode())]
        reply = await client.post(PATH, json=QUESTION, headers=given)
        assert MADE.fullmatch(reply.headers["x-request-id"])

    assert len(observed(work, ask)) == 1


def test_a_problem_names_its_request_everywhere(work: Workspace) -> None:
    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        for reply in (
            await client.post(PATH, json={"thing": CANARY}),
            await client.post(f"{PATH}:batch", json={"requests": []}),
            await client.get(f"/v1/decisions/{CANARY}"),
            await client.get(f"/v1/nowhere/{CANARY}"),
        ):
            assert reply.status_code >= 400
            assert reply.json()["request"] == reply.headers["x-request-id"]

    lines = observed(work, ask)
    assert [line["status"] for line in lines] == [422, 422, 404, 404]
    assert {line["level"] for line in lines} == {"warning"}
    assert [line.get("caller") for line in lines] == [*["dispatch app"] * 3, None]  # nobody is looked up for nothing
    assert CANARY not in str(lines)


def test_every_line_within_a_request_names_it(work: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    """Also lines from the threads in which models are asked and columns read."""
    log = structlog.get_logger()

    def failing() -> float:
        log.error("said_by_a_model")
        raise ValueError(CANARY)

    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        logs.configure("INFO", "json")
        for number in range(3):
            reply = await client.post(PATH, json={**QUESTION, "thing": CANARY}, headers={"X-Request-Id": f"r{number}"})
            assert reply.status_code == 200

    observed(work, ask, model=Model(failing))
    written = capfd.readouterr().err
    said = [line for line in written.splitlines() if "said_by_a_model" in line]
    assert [msgspec.json.decode(line)["request"] for line in said] == ["r0", "r1", "r2"]
    assert CANARY not in written


def test_what_an_error_quotes_is_never_logged(work: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    """A defect of ours at a door, at a signal, and with its trace: type and place, and not its words."""

    class Broken(Model):
        def signals(self, values: dict[str, Any]) -> tuple[Signal, ...]:
            raise ValueError(CANARY)

        def unknown_categories(self, values: dict[str, Any]) -> tuple[str, ...]:
            raise MemoryError(CANARY)  # of a kind that nobody expects

    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        logs.configure("INFO", "json")
        await client.post(PATH, json={**QUESTION, "thing": CANARY})
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            structlog.get_logger().error("unexpected error", exc_info=error)

    observed(work, ask, model=Broken(lambda: 0.9))
    written = capfd.readouterr().err
    assert CANARY not in written
    assert "KeyError" in written and "test_observing.py" in written
    assert "MemoryError at " in written or "ValueError at " in written


def test_rows_of_a_batch_do_not_take_each_others_decision(work: Workspace) -> None:
    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        await client.post(f"{PATH}:batch", json={"requests": [QUESTION] * 20})

    (line,) = observed(work, ask)
    assert "decision" not in line and line["status"] == 200


def test_of_those_that_succeed_a_share_is_kept_and_of_failures_all(work: Workspace) -> None:
    async def ask(client: httpx.AsyncClient, app: Application) -> None:
        for _ in range(30):
            await client.post(PATH, json=QUESTION)
        for _ in range(5):
            await client.post(PATH, json={})

    assert [line["status"] for line in observed(work, ask, share=0.0)] == [422] * 5


def test_without_the_setting_there_is_no_line_and_with_it_there_is(work: Workspace) -> None:
    assert Application(work)._observing._log is None
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"access_log_share": 1.5}, Settings)


def test_a_line_costs_little_and_waits_for_nobody() -> None:
    """Whoever reads the lines may hang: those who are answered do not notice, and what is dropped is counted."""
    written, hang = Written(), [True]

    def slowly(content: bytes) -> None:
        while hang:
            time.sleep(0.01)
        written(content)

    log = AccessLog(1.0, slowly)
    about = Current("req_1")
    log.add(about, "GET", "/healthz", 200, 0.001)
    time.sleep(0.5)  # its thread hangs now
    seconds = min(timeit.repeat(lambda: log.add(about, "GET", "/healthz", 200, 0.001), number=1_000, repeat=10)) / 1_000
    print(f"a line of the access log: {seconds * 1e6:.2f} µs")
    assert seconds < 20e-6
    for _ in range(15_000):
        log.add(about, "GET", "/healthz", 200, 0.001)
    hang.clear()
    log.close()
    (told,) = [line for line in written.lines if line["event"] == "request_lines_dropped"]
    kept = sum(line["event"] == "request" for line in written.lines)
    assert (kept, told["lines"]) == (20_001, 5_000)


def test_text_is_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text")
    structlog.get_logger().error("model_refused", use_case="small", why="two words", key="pk_abcdefghijkl")
    said = capfd.readouterr().err
    assert re.fullmatch(
        r'timestamp=\S+Z level=error event=model_refused use_case=small why="two words" key=█████\n', said
    )
