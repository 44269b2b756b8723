"""What a question is told for which there is no place, and what is told of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from pilotage import app
from pilotage.decisions import metrics
from pilotage.decisions.http.route import IN_FLIGHT_MAX
from pilotage.platform.errors import Unavailable
from pilotage.platform.workspace import Workspace
from pilotage.web.plain import Head, head_of
from pilotage.web.shedding import Refusing


def question(path: str = "small", request: str = "") -> Head:
    named = f"x-request-id: {request}\r\n" if request else ""
    head = f"POST /v1/use-cases/{path}/decisions HTTP/1.1\r\nhost: x\r\n{named}content-length: 2\r\n\r\n"
    found = head_of(head.encode() + b"{}")
    assert found is not None
    return found


def test_the_refusal_is_a_problem_with_when_to_try_again() -> None:
    reply = Refusing(Unavailable("Full.", "Wait.")).reply(question(request="mine"))
    head, _, body = reply.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 503 Service Unavailable"
    assert "retry-after: 1" in lines
    assert f"content-length: {len(body)}" in lines
    assert "x-request-id: mine" in lines
    assert json.loads(body)["instance"] == "/v1/use-cases/small/decisions"


def test_what_is_refused_in_a_turn_is_told_of_once_and_each_has_its_own_reply(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(metrics, "turned_away", counted.append)

    async def ask() -> list[bytes | None]:
        served = app.Application(work)
        served.service.phase = "running"
        monkeypatch.setattr(served._observing, "refused", lambda *of: told.append(of))
        replies = [served.refusal(question()) for _ in range(IN_FLIGHT_MAX)]
        replies += [served.refusal(question(path, path)) for path in ("a", "b", "c")]
        await asyncio.sleep(0)
        replies += [served.refusal(question()) for _ in range(IN_FLIGHT_MAX)]
        replies += [served.refusal(question(request="again")) for _ in range(2)]
        await asyncio.sleep(0)
        return replies

    *replies, d, e = asyncio.run(ask())
    taken, (a, b, c), later = replies[:IN_FLIGHT_MAX], replies[IN_FLIGHT_MAX:][:3], replies[IN_FLIGHT_MAX + 3 :]
    assert taken == [None] * IN_FLIGHT_MAX
    for path, reply in zip("abc", (a, b, c), strict=True):
        assert reply is not None
        assert f"x-request-id: {path}\r\n".encode() in reply
        assert f"/v1/use-cases/{path}/decisions".encode() in reply
    assert later == [None] * IN_FLIGHT_MAX, "the next turn looks again"
    assert d is not None
    assert d == e
    assert counted == [3, 2]
    path = "/v1/use-cases/{use_case:str}/decisions"
    assert told == [("a", 3, "POST", path, 503), ("again", 2, "POST", path, 503)]
