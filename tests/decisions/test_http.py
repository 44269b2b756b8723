"""The HTTP of decisions: what is refused before anything is done for it, and how."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import msgspec
import pytest
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.test_service import FILE, Model, serving

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE.replace("latency_ms: 50", "latency_ms: 5000"), "small.yaml"), SYSTEM)


def sent(
    work: Workspace, definition: Definition, method: str = "POST", path: str = PATH, **request: Any
) -> httpx.Response:
    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.request(method, path, **request)

    return asyncio.run(once())


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    return found


@pytest.mark.parametrize("path", [PATH, f"{PATH}:batch"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_told_which_one_is_right(
    work: Workspace, definition: Definition, method: str, path: str
) -> None:
    answer = sent(work, definition, method, path)
    is_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", [f"{PATH}/", f"{PATH}:many", "/v1/nothing", "/v1/use-cases/Small/decisions"])
def test_a_wrong_path_is_a_problem(work: Workspace, definition: Definition, path: str) -> None:
    is_problem(sent(work, definition, path=path, json=QUESTION), 404)


@pytest.mark.parametrize("path", [PATH, f"{PATH}:batch", "/v1/outcomes"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_other_bodies_than_json_are_refused(work: Workspace, definition: Definition, path: str, kind: str) -> None:
    answer = sent(work, definition, path=path, content=msgspec.json.encode(QUESTION), headers={"Content-Type": kind})
    assert "application/json" in is_problem(answer, 415)["detail"]


@pytest.mark.parametrize("path", [PATH, f"{PATH}:batch", "/v1/outcomes"])
def test_a_compressed_body_is_refused_whatever_it_would_unpack_to(
    work: Workspace, definition: Definition, path: str
) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 60_000
    headers = {"Content-Encoding": "gzip", **JSON}
    is_problem(sent(work, definition, path=path, content=bomb, headers=headers), 415)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"thing": "t1", "size": 7, "size": 8, "at": "2013-12-05T19:00:00Z"}', "size"),
        (b'{"thing": "t1", "thing": "t2", "size": 7, "at": "2013-12-05T19:00:00Z"}', "thing"),
        (b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z", "colour": "a\\"b", "colour": null}', "colour"),
        (b'{"thing": "t1", "siz\\u0065": 7, "size": 7, "at": "2013-12-05T19:00:00Z"}', "size"),
    ],
)
def test_a_field_that_comes_twice_is_refused(work: Workspace, definition: Definition, body: bytes, told: str) -> None:
    answer = sent(work, definition, content=body, headers=JSON)
    assert [each["where"] for each in is_problem(answer, 422)["problems"]] == [told]


@pytest.mark.parametrize("colour", ['"red"', "null", '"a\\"b"', '"\\u0022"', '"colour\\": 1"'])
def test_a_field_that_comes_once_is_taken_whatever_it_says(
    work: Workspace, definition: Definition, colour: str
) -> None:
    body = f'{{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z", "colour": {colour}}}'
    assert sent(work, definition, content=body.encode(), headers=JSON).status_code == 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(work: Workspace, definition: Definition, number: str) -> None:
    body = f'{{"thing": "t1", "size": {number}, "at": "2013-12-05T19:00:00Z"}}'
    is_problem(sent(work, definition, content=body.encode(), headers=JSON), 422)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_what_nests_without_end_is_refused(work: Workspace, definition: Definition, opening: bytes) -> None:
    deep = opening * 40_000
    for path, body in ((PATH, deep), (PATH, b'{"thing": ' + deep), (f"{PATH}:batch", b'{"requests": [' + deep)):
        is_problem(sent(work, definition, path=path, content=body, headers=JSON), 422)


def test_a_large_body_is_refused_without_being_read(work: Workspace, definition: Definition) -> None:
    is_problem(sent(work, definition, content=b" " * (work.settings.request_bytes_max + 1), headers=JSON), 413)
    big = b" " * (work.settings.batch_bytes_max + 1)
    is_problem(sent(work, definition, path=f"{PATH}:batch", content=big, headers=JSON), 413)


def test_a_key_with_a_limit_is_told_how_it_stands_and_then_refused(work: Workspace, definition: Definition) -> None:
    async def many() -> list[httpx.Response]:
        key = key_of(work, per_minute=3)
        async with asked(work, serving(definition, Model(lambda: 0.6)), key) as (client, _):
            return [await client.post(PATH, json=QUESTION) for _ in range(4)]

    *taken, refused = asyncio.run(many())
    assert [each.status_code for each in taken] == [200] * 3
    assert taken[0].headers["ratelimit-policy"] == '"key";q=3;w=60'
    assert taken[0].headers["ratelimit"].startswith('"key";r=2;t=')
    is_problem(refused, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.headers["ratelimit"].startswith('"key";r=0;t=')


def test_each_row_of_a_batch_counts_and_so_does_what_other_routes_are_asked(
    work: Workspace, definition: Definition
) -> None:
    async def many() -> list[int]:
        key = key_of(work, per_minute=5)
        async with asked(work, serving(definition, Model(lambda: 0.6)), key) as (client, _):
            looked = await client.get("/v1/use-cases/small/schema")
            assert looked.headers["ratelimit"].startswith('"key";r=4;')
            batch = await client.post(f"{PATH}:batch", json={"requests": [QUESTION] * 20})
            again = await client.post(f"{PATH}:batch", json={"requests": [QUESTION]})
            other = await client.get("/v1/use-cases/small/schema")
            return [looked.status_code, batch.status_code, again.status_code, other.status_code]

    assert asyncio.run(many()) == [200, 200, 429, 429]


def test_without_a_limit_nothing_is_said_of_one(work: Workspace, definition: Definition) -> None:
    answer = sent(work, definition, json=QUESTION)
    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


def test_workers_divide_the_usual_limit(work: Workspace, definition: Definition) -> None:
    shared = msgspec.structs.replace(work.settings, key_requests_per_minute=10, workers=5)
    one_of_five = open_workspace(shared, work.clock)

    async def many() -> list[int]:
        key = key_of(one_of_five)
        async with asked(one_of_five, serving(definition, Model(lambda: 0.6)), key) as (client, _):
            return [(await client.post(PATH, json=QUESTION)).status_code for _ in range(3)]

    assert asyncio.run(many()) == [200, 200, 429]
    one_of_five.close()


def test_a_disabled_key_opens_no_route(work: Workspace, definition: Definition) -> None:
    key = key_of(work)
    (principal,) = governing.all_keys(work).values()
    governing.disable_key(work, SYSTEM, principal.id)

    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key) as (client, _):
            return await client.post(f"{PATH}:batch", json={"requests": [QUESTION]})

    answer = asyncio.run(once())
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
