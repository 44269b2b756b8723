"""Many questions in one request: each its own answer, all recorded, nobody else held up."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import time
from typing import Any

import httpx
import pytest
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.test_service import FILE, Model, serving

from pilotage.decisions import flow, store
from pilotage.decisions.durable import recording
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
BATCH = f"{PATH}:batch"


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE.replace("latency_ms: 50", "latency_ms: 5000"), "small.yaml"), SYSTEM)


def question(number: int) -> dict[str, Any]:
    return {**QUESTION, "thing": f"t{number}", "size": number % 10}


def sent(work: Workspace, definition: Definition, requests: list[Any], **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.post(BATCH, json={"requests": requests}, **more)

    return asyncio.run(once())


def test_a_thousand_questions_are_answered_in_their_order_and_recorded(work: Workspace, definition: Definition) -> None:
    answer = sent(work, definition, [question(number) for number in range(1_000)])
    body = answer.json()
    assert (answer.status_code, body["answered"], body["refused"]) == (200, 1_000, 0)
    assert [each["answer"]["entity"] for each in body["results"]] == [f"t{number}" for number in range(1_000)]
    ids = [each["answer"]["id"] for each in body["results"]]
    assert len(set(ids)) == 1_000
    assert len(flow.find_all(work, ids)) == 1_000
    assert flow.verify_recorded(work).valid


def test_one_more_is_too_many_and_none_is_too_few(work: Workspace, definition: Definition) -> None:
    assert sent(work, definition, [question(1)] * 1_001).status_code == 413
    assert sent(work, definition, []).status_code == 422


def test_each_row_has_its_own_status(work: Workspace, definition: Definition) -> None:
    rows: list[Any] = [question(1), {**question(2), "size": "many"}, 7, {"thing": "x"}, question(5)]
    body = sent(work, definition, rows).json()
    assert [each["status"] for each in body["results"]] == [200, 422, 422, 422, 200]
    assert body["results"][1]["problem"]["problems"][0]["where"] == "size"
    assert (body["answered"], body["refused"]) == (2, 3)
    with work.database.reading() as connection:
        assert len(store.recent(connection, "small", 10)) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"requests": 7}',
        b'{"questions": []}',
        b'{"requests": [], "requests": [1]}',
        b'{"requests": [{"thing": "t"}], "more": 1}',
        b'{"requests": [NaN]}',
        b"",
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_no_batch_is_explained(work: Workspace, definition: Definition, body: bytes) -> None:
    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.post(BATCH, content=body, headers={"Content-Type": "application/json"})

    answer = asyncio.run(once())
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_row_that_names_a_field_twice_is_refused_alone(work: Workspace, definition: Definition) -> None:
    twice = b'{"thing": "t1", "size": 7, "size": 8, "at": "2013-12-05T19:00:00Z"}'
    once = b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}'

    async def both() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.post(BATCH, content=b'{"requests": [' + twice + b"," + once + b"]}")

    assert [each["status"] for each in asyncio.run(both()).json()["results"]] == [422, 200]


def test_a_row_with_half_of_a_letter_is_refused_alone(work: Workspace, definition: Definition) -> None:
    """The client sends JSON in ASCII: an emoji that was cut stands there as one escape, a whole one as two."""
    half, whole = ({**question(2), "thing": thing} for thing in ("cut \ud83d", "whole \U0001f600"))
    named_by_half = {**question(3), "\udc00": 1}
    text = json.dumps({"requests": [question(1), half, whole, named_by_half, question(4)]})
    assert text.isascii()

    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.post(BATCH, content=text)

    results = asyncio.run(once()).json()["results"]
    assert [each["status"] for each in results] == [200, 422, 200, 422, 200]
    for place in (1, 3):
        (problem,) = results[place]["problem"]["problems"]
        assert "half of a letter" in problem["message"]
    assert results[2]["answer"]["entity"] == "whole \U0001f600"
    assert [results[place]["answer"]["entity"] for place in (0, 4)] == ["t1", "t4"]


def test_half_of_a_letter_hides_no_name_that_comes_twice(work: Workspace, definition: Definition) -> None:
    row = b'{"thing": "t\\ud83d", "at": "2013-12-05T19:00:00Z", "size": 7, "size": 8}'

    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.post(BATCH, content=b'{"requests": [' + row + b"]}")

    answer = asyncio.run(once())
    assert (answer.status_code, answer.json()["problems"][0]["where"]) == (422, "size")


def test_single_questions_are_answered_between_the_rows_of_a_batch(work: Workspace, definition: Definition) -> None:
    """Several single questions, one after the other, have their answers while 2,000 rows are under way."""

    def busy() -> float:
        until = time.perf_counter() + 0.0005
        while time.perf_counter() < until:
            pass
        return 0.6

    ready = dataclasses.replace(serving(definition, Model(busy)), quick=True)

    async def both() -> int:
        async with asked(work, ready, key_of(work)) as (client, _):
            many = {"requests": [question(number) for number in range(1_000)]}
            batches = [asyncio.create_task(client.post(BATCH, json=many)) for _ in range(2)]
            answered = 0
            while True:
                assert (await client.post(PATH, json=QUESTION)).status_code == 200
                if any(batch.done() for batch in batches):
                    break
                answered += 1
            for batch in batches:
                assert (await batch).json()["answered"] == 1_000
            return answered

    assert asyncio.run(both()) > 2, "rows of a batch that are not interrupted let none pass, or one"


def test_a_switch_counts_for_the_rows_still_to_come(work: Workspace, definition: Definition) -> None:
    def slow() -> float:
        time.sleep(0.02)
        return 0.6

    async def once() -> list[str]:
        async with asked(work, serving(definition, Model(slow)), key_of(work)) as (client, app):
            batch = asyncio.create_task(client.post(BATCH, json={"requests": [question(7)] * 30}))
            await asyncio.sleep(0.2)
            app.service.following.servings = {"small": serving(definition, None, quiet="disabled")}
            return [each["answer"]["reason"] for each in (await batch).json()["results"]]

    reasons = asyncio.run(once())
    assert set(reasons) == {"model", "disabled"}
    assert reasons == sorted(reasons, key=["model", "disabled"].index), "none after the switch is the model's"


def test_all_rows_of_a_batch_are_answered_by_one_version_and_the_next_batch_by_the_next(
    work: Workspace, definition: Definition
) -> None:
    begun = threading.Event()

    def slow() -> float:
        begun.set()
        time.sleep(0.02)
        return 0.6

    async def both() -> list[set[float]]:
        async with asked(work, serving(definition, Model(slow)), key_of(work)) as (client, app):
            batch = asyncio.create_task(client.post(BATCH, json={"requests": [question(7)] * 30}))
            await asyncio.to_thread(begun.wait, 30)
            app.service.following.servings = {"small": serving(definition, Model(lambda: 0.9))}
            replies = [await batch, await client.post(BATCH, json={"requests": [question(7)]})]
            return [{each["answer"]["probability"] for each in reply.json()["results"]} for reply in replies]

    assert asyncio.run(both()) == [{0.6}, {0.9}]


def test_the_callers_patience_bounds_a_whole_batch(work: Workspace, definition: Definition) -> None:
    def slow() -> float:
        time.sleep(0.05)
        return 0.6

    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(slow)), key_of(work)) as (client, _):
            headers = {"X-Request-Timeout-Ms": "400"}
            return await client.post(BATCH, json={"requests": [question(7)] * rows}, headers=headers)

    rows, began = 300, time.perf_counter()
    results = asyncio.run(once()).json()["results"]
    assert time.perf_counter() - began < rows * 0.05 / 2, "both threads would score longer"
    reasons = [each["answer"]["reason"] for each in results]
    assert reasons[0] == "model"
    assert reasons[-1] in ("too_slow", "overloaded")


def slowly() -> float:
    time.sleep(0.05)
    return 0.6


def test_a_batch_that_is_due_decides_the_rest_at_once_without_the_model_and_records_it(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LATENESS_SECONDS", 10.0)  # how fast the disk is then is not what is asked here

    async def once() -> tuple[httpx.Response, float]:
        async with asked(work, serving(definition, Model(slowly)), key_of(work)) as (client, _):
            began = time.perf_counter()
            rows = {"requests": [question(7)] * 1_000}
            found = await client.post(BATCH, json=rows, headers={"X-Request-Timeout-Ms": "300"})
            return found, time.perf_counter() - began

    answer, seconds = asyncio.run(once())
    answers = [each["answer"] for each in answer.json()["results"]]
    reasons = [each["reason"] for each in answers]
    assert (answer.status_code, len(answers), reasons[0], reasons[-1]) == (200, 1_000, "model", "too_slow")
    assert reasons.count("model") < 50, "it had time for six"
    assert seconds < 15, "each of them in turn takes fifty seconds"
    recorded = {each["id"] for each in answers if "not_recorded" not in each.get("flags", ())}
    assert recorded == flow.find_all(work, [each["id"] for each in answers]).keys()
    assert len(recorded) == 1_000


def test_a_batch_waits_no_longer_than_its_caller_for_those_before_it(work: Workspace, definition: Definition) -> None:
    async def three() -> tuple[httpx.Response, float, list[int]]:
        async with asked(work, serving(definition, Model(slowly)), key_of(work)) as (client, _):
            rows, hurried = {"requests": [question(7)] * 60}, {"X-Request-Timeout-Ms": "300"}
            before = [asyncio.create_task(client.post(BATCH, json=rows)) for _ in range(2)]
            await asyncio.sleep(0.2)
            began = time.perf_counter()
            late = await client.post(BATCH, json=rows, headers=hurried)
            return late, time.perf_counter() - began, [each.status_code for each in await asyncio.gather(*before)]

    late, seconds, before = asyncio.run(three())
    assert (late.status_code, late.headers["retry-after"], before) == (503, "1", [200, 200])
    assert 0.2 < seconds < 1.5, "those before it take three seconds"
    assert "took all its time" in late.json()["detail"]


def test_one_caller_does_not_take_all_places(work: Workspace, definition: Definition) -> None:
    async def many() -> tuple[list[int], int]:
        async with asked(work, serving(definition, Model(slowly)), key_of(work)) as (client, app):
            app.service.following.keys = governing.all_keys(work)
            rows = {"requests": [question(7)] * 10}
            mine = [asyncio.create_task(client.post(BATCH, json=rows)) for _ in range(20)]
            await asyncio.sleep(0.2)
            theirs = await client.post(BATCH, json=rows, headers={"Authorization": f"Bearer {other}"})
            return sorted(each.status_code for each in await asyncio.gather(*mine)), theirs.status_code

    other = key_of(work, "other")
    statuses, theirs = asyncio.run(many())
    assert statuses == [200] * 6 + [503] * 14
    assert theirs == 200


def test_who_may_not_know_of_a_use_case_is_told_that_there_is_none(work: Workspace, definition: Definition) -> None:
    async def once() -> httpx.Response:
        key = key_of(work, use_case="elsewhere")
        async with asked(work, serving(definition, Model(lambda: 0.6)), key) as (client, _):
            return await client.post(BATCH, json={"requests": [question(1)]})

    assert asyncio.run(once()).status_code == 404
