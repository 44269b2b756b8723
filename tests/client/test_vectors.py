"""Both Python clients do what the table says that every client does, against a server that plays its script."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from pilotage.client import (
    AsyncClient,
    Client,
    Decision,
    Fallback,
    FellBack,
    LocalAnswer,
    Refused,
    Resilience,
    ServiceGone,
)
from tests.client.script import Arrived, playing

TABLE = json.loads((Path(__file__).parents[2] / "clients" / "vectors.json").read_text())
VECTORS = [pytest.param(each, id=each["name"]) for each in TABLE["vectors"]]
Call = dict[str, Any]
NO_TLS = False
"""Everything here is plain HTTP; reading the certificates of the world takes longer than most vectors."""


@pytest.mark.parametrize("vector", VECTORS)
def test_the_client_that_waits(vector: dict[str, Any]) -> None:
    told: list[FellBack] = []
    with playing(vector["server"]) as (address, arrived), httpx.Client(verify=NO_TLS) as http:
        client = Client(address, http=http, **_settings(vector, told))
        for call in _calls(vector):
            time.sleep(call.get("wait_ms", 0) / 1000)
            began = time.monotonic()
            _compare(call["expect"], _outcome(partial(_called, client, call)), time.monotonic() - began)
    _compare_arrived(vector, arrived)
    _compare_fallbacks(vector, client.fallback_counts(), told)


@pytest.mark.parametrize("vector", VECTORS)
def test_the_client_that_is_awaited(vector: dict[str, Any]) -> None:
    told: list[FellBack] = []

    async def play(address: str) -> AsyncClient:
        async with httpx.AsyncClient(verify=NO_TLS) as http:
            client = AsyncClient(address, http=http, **_settings(vector, told))
            for call in _calls(vector):
                await asyncio.sleep(call.get("wait_ms", 0) / 1000)
                began = time.monotonic()
                outcome = await _async_outcome(_called(client, call))
                _compare(call["expect"], outcome, time.monotonic() - began)
        return client

    with playing(vector["server"]) as (address, arrived):
        client = asyncio.run(play(address))
    _compare_arrived(vector, arrived)
    _compare_fallbacks(vector, client.fallback_counts(), told)


def test_the_table_is_not_thin() -> None:
    names = [each["name"] for each in TABLE["vectors"]]
    assert len(names) == len(set(names)) >= 70
    assert all(each["calls"] and "arrived" in each for each in TABLE["vectors"])


def _settings(vector: dict[str, Any], told: list[FellBack]) -> dict[str, Any]:
    settings = TABLE["defaults"] | vector.get("client", {})
    return {
        "key": TABLE["key"],
        "timeout_ms": settings.pop("timeout_ms"),
        "resilience": Resilience(**settings),
        "on_fallback": told.append,
    }


def _calls(vector: dict[str, Any]) -> Iterable[Call]:
    for call in vector["calls"]:
        yield call
        for _ in range(call.get("times", 1) - 1):
            yield {**call, "wait_ms": 0}


def _called(client: Any, call: Call) -> Any:
    """The call as made through either client: its result, or what is to be awaited for it."""
    more = {"timeout_ms": call.get("timeout_ms")}
    rule = more | {"fallback": _rule(call.get("fallback")), "idempotency_key": call.get("idempotency_key")}
    makers: dict[str, Callable[[], Any]] = {
        "decide": lambda: client.decide(call["use_case"], call["request"], **rule),
        "decide_batch": lambda: client.decide_batch(call["use_case"], call["requests"], **rule),
        "decision": lambda: client.decision(call["id"], **more),
        "feedback": lambda: client.feedback(call["id"], call["kind"], call["person"], reason=call["reason"], **more),
        "outcomes": lambda: client.outcomes(call["outcomes"], **more),
        "schema": lambda: client.schema(call["use_case"], **more),
        "card_token": lambda: client.card_token(
            call["use_case"],
            entity=call["entity"],
            origin=call["origin"],
            person=call["person"],
            actions=call["actions"],
            **more,
        ),
    }
    return makers[call["method"]]()


def _rule(said: dict[str, Any] | None) -> Fallback:
    if said is None:
        return None
    if "raises" in said:
        return _raising(said["raises"])
    if "column" in said:
        return lambda request: bool(request[said["column"]] > said["above"])
    if "constant" in said:
        constant: Fallback = said["constant"]
        return constant
    return LocalAnswer(said["said"], said.get("action", ""))


def _raising(words: str) -> Fallback:
    def rule(request: Mapping[str, Any]) -> bool:
        raise RuntimeError(words)

    return rule


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (Refused, ServiceGone) as error:
        return error


async def _async_outcome(call: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await call
    except (Refused, ServiceGone) as error:
        return error


def _compare(expected: dict[str, Any], found: Any, seconds: float) -> None:
    if "elapsed_ms" in expected:
        low, high = expected["elapsed_ms"]
        assert low <= seconds * 1000 <= high
    if "gone" in expected:
        assert isinstance(found, ServiceGone), found
        assert found.reason == expected["gone"]
    elif "rows" in expected:
        for row, wanted in zip(found, expected["rows"], strict=True):
            _compare(wanted, row.refused or row.decision, 0)
    elif "outcomes" in expected:
        for row, wanted in zip(found, expected["outcomes"], strict=True):
            assert json.loads(msgspec.json.encode(row)) == wanted
    else:
        _compare_one(expected, found)


def _compare_one(expected: dict[str, Any], found: Any) -> None:
    if "error" in expected:
        assert isinstance(found, Refused), found
        wanted = dict(expected["error"])
        assert type(found).__name__ == wanted.pop("kind")
        if "problems" in wanted:
            assert [msgspec.to_builtins(each) for each in found.problems] == wanted.pop("problems")
        assert {name: getattr(found, name) for name in wanted} == wanted
        assert found.detail in str(found)
    fields = expected.get("decision") or expected.get("result")
    if fields is not None:
        kept = found if isinstance(found, dict) else {name: getattr(found, name) for name in fields}
        assert {name: json.loads(msgspec.json.encode(kept[name])) for name in fields} == fields
    if "is_yes" in expected:
        assert isinstance(found, Decision)
        assert found.is_yes is expected["is_yes"]


def _compare_arrived(vector: dict[str, Any], arrived: list[Arrived]) -> None:
    wanted = vector["arrived"]
    low, high = wanted if isinstance(wanted, list) else (wanted, wanted)
    assert low <= len(arrived) <= high
    for one, expected in zip(arrived, vector.get("requests", []), strict=False):
        for name in {"method", "path"} & expected.keys():
            assert getattr(one, name) == expected[name]
        assert {name: one.headers.get(name) for name in expected.get("headers", {})} == expected.get("headers", {})
        if "body" in expected:
            assert json.loads(one.body) == expected["body"]
        if "timeout_ms" in expected:
            low, high = expected["timeout_ms"]
            assert low <= int(one.headers["x-request-timeout-ms"]) <= high
    if "keys" in vector:
        keys = [one.headers["idempotency-key"] for one in arrived]
        assert [list(dict.fromkeys(keys)).index(key) for key in keys] == vector["keys"]


def _compare_fallbacks(vector: dict[str, Any], counts: dict[str, int], told: list[FellBack]) -> None:
    assert sum(counts.values()) == len(told)
    assert counts == vector.get("fallback_counts", counts)
    assert all(each.decision.because for each in told)
