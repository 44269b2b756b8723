"""Idempotency keys: the same key and body have one effect and one reply, whoever asks again and when."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.test_service import FILE, Model, serving

from pilotage.decisions import store
from pilotage.decisions.durable import recording
from pilotage.govern.records import SYSTEM
from pilotage.platform import replies
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import KeyReused, RequestOutstanding
from pilotage.platform.replies import Claim
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
BATCH = f"{PATH}:batch"
KEYS = 80
"""For each of which eight threads compete."""
KEYED = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE.replace("latency_ms: 50", "latency_ms: 5000"), "small.yaml"), SYSTEM)


def decided(work: Workspace) -> int:
    with work.database.reading() as connection:
        return len(store.recent(connection, "small", 100_000))


async def post(
    work: Workspace, definition: Definition, key: str, *bodies: tuple[str, Any], model: Model | None = None
) -> list[httpx.Response]:
    async with asked(work, serving(definition, model or Model(lambda: 0.6)), key) as (client, _):
        return [await client.post(path, json=body, headers=KEYED) for path, body in bodies]


@pytest.mark.parametrize(("path", "body"), [(PATH, QUESTION), (BATCH, {"requests": [QUESTION] * 3})])
def test_the_same_key_and_body_get_the_same_bytes_also_after_a_restart(
    work: Workspace, definition: Definition, path: str, body: Any
) -> None:
    key = key_of(work)
    first, second = asyncio.run(post(work, definition, key, (path, body), (path, body)))
    (third,) = asyncio.run(post(work, definition, key, (path, body), model=Model(lambda: 0.1)))
    assert first.status_code == 200, first.text
    assert first.content == second.content == third.content
    assert ["idempotency-replayed" in each.headers for each in (first, second, third)] == [False, True, True]
    assert decided(work) == (1 if path == PATH else 3)


def test_the_same_key_with_another_request_is_refused(work: Workspace, definition: Definition) -> None:
    key, other = key_of(work), {**QUESTION, "size": 8}
    one, two, three = asyncio.run(
        post(work, definition, key, (PATH, QUESTION), (PATH, other), (BATCH, {"requests": [QUESTION]}))
    )
    assert (one.status_code, two.status_code, three.status_code) == (200, 422, 422)
    assert two.json()["title"] == "Idempotency-Key is already used"
    assert decided(work) == 1


def test_another_caller_with_the_same_key_is_somebody_else(work: Workspace, definition: Definition) -> None:
    (mine,) = asyncio.run(post(work, definition, key_of(work, "one"), (PATH, QUESTION)))
    (yours,) = asyncio.run(post(work, definition, key_of(work, "two"), (PATH, {**QUESTION, "size": 1})))
    assert (mine.status_code, yours.status_code) == (200, 200)
    assert mine.json()["id"] != yours.json()["id"]


def test_what_was_refused_may_be_corrected_under_the_same_key(work: Workspace, definition: Definition) -> None:
    wrong = {**QUESTION, "size": "many"}
    refused, taken = asyncio.run(post(work, definition, key_of(work), (PATH, wrong), (PATH, QUESTION)))
    assert (refused.status_code, taken.status_code) == (422, 200)


@pytest.mark.parametrize("key", ['""', "", "a b", "x" * 256, "ä"])
def test_what_is_no_key_is_refused(work: Workspace, definition: Definition, key: str) -> None:
    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            return await client.post(PATH, json=QUESTION, headers=[("Idempotency-Key", key.encode("latin-1"))])

    assert asyncio.run(once()).status_code == 400


def test_while_the_first_is_answered_the_others_are_told_so(work: Workspace, definition: Definition) -> None:
    """Thirty at once over three applications on one database, as workers are: one decision, one reply."""
    key = key_of(work)
    ready = serving(definition, Model(lambda: 0.6))

    async def race() -> list[httpx.Response]:
        async with asked(work, ready, key) as (one, _), asked(work, ready, key) as (two, _):
            asks = [each.post(PATH, json=QUESTION, headers=KEYED) for each in (one, two) for _ in range(15)]
            return list(await asyncio.gather(*asks))

    answers = asyncio.run(race())
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 409}
    given = {answer.content for answer in answers if answer.status_code == 200}
    assert len(given) == 1
    assert decided(work) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["title"] == "A request is outstanding for this Idempotency-Key"
            assert int(answer.headers["retry-after"]) >= 1


def test_of_threads_that_claim_a_key_at_once_one_gets_it(work: Workspace) -> None:
    won: list[Claim] = []
    barrier = threading.Barrier(8)

    def claim_all() -> None:
        for number in range(KEYS):
            barrier.wait()
            try:
                found = replies.claim(work, "key_1", f"k{number}", b"f" * 32, timedelta(seconds=60))
            except RequestOutstanding:
                continue
            assert isinstance(found, Claim)
            won.append(found)

    threads = [threading.Thread(target=claim_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.key for each in won) == sorted(f"k{number}" for number in range(KEYS))


def test_a_request_whose_worker_died_is_taken_over_and_decides_nothing_twice(
    work: Workspace, definition: Definition, clock: FixedClock
) -> None:
    key, body = key_of(work), {"requests": [QUESTION, {**QUESTION, "thing": "t2"}]}
    kept = replies.settle_all
    try:
        replies.settle_all = _dying  # the decisions are durable, the reply is not: as if the worker had died in between
        (lost,) = asyncio.run(post(work, definition, key, (BATCH, body)))
    finally:
        replies.settle_all = kept
    assert lost.status_code == 500
    assert decided(work) == 2
    (early,) = asyncio.run(post(work, definition, key, (BATCH, body)))
    assert early.status_code == 409
    clock.advance(timedelta(minutes=2))
    late, again = asyncio.run(post(work, definition, key, (BATCH, body), (BATCH, body), model=Model(lambda: 0.1)))
    assert late.status_code == 200
    assert late.content == again.content
    assert {each["answer"]["probability"] for each in late.json()["results"]} == {0.6}  # told again, not decided again
    assert decided(work) == 2


def _dying(*_: Any) -> None:
    raise RuntimeError("the worker dies here")


def test_replies_are_kept_for_a_day_and_then_forgotten(work: Workspace, clock: FixedClock) -> None:
    for number in range(3):
        claimed = replies.claim(work, "key_1", f"k{number}", b"f" * 32, timedelta(seconds=60))
        assert isinstance(claimed, Claim)
        replies.keep(work, claimed, b"the reply")
    clock.advance(timedelta(hours=24))
    assert replies.forget_old(work) == 0
    assert replies.claim(work, "key_1", "k1", b"f" * 32, timedelta(seconds=60)) == b"the reply"
    with pytest.raises(KeyReused):
        replies.claim(work, "key_1", "k1", b"g" * 32, timedelta(seconds=60))
    clock.advance(timedelta(hours=2))
    assert replies.forget_old(work) == 3
    assert isinstance(replies.claim(work, "key_1", "k1", b"g" * 32, timedelta(seconds=60)), Claim)


def test_without_its_database_a_keyed_request_is_answered_and_told_that_its_key_is_not_kept(
    work: Workspace, definition: Definition
) -> None:
    broken = open_workspace(work.settings, work.clock)

    async def all_three() -> list[httpx.Response]:
        async with asked(broken, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            with broken.database.writing() as connection:
                replies.kept_replies.drop(connection)
            sent = [(PATH, QUESTION, KEYED), (BATCH, {"requests": [QUESTION] * 2}, KEYED), (PATH, QUESTION, {})]
            return [await client.post(path, json=body, headers=headers) for path, body, headers in sent]

    keyed, batch, plain = asyncio.run(all_three())
    assert [each.status_code for each in (keyed, batch, plain)] == [200, 200, 200]
    assert (keyed.json()["produced_by"], keyed.json().get("flags")) == ("model", ["key_not_kept"])
    assert [row["answer"].get("flags") for row in batch.json()["results"]] == [["key_not_kept"]] * 2
    assert "flags" not in plain.json()
    assert decided(work) == 4
    broken.close()


@contextlib.contextmanager
def locked_out(work: Workspace) -> Iterator[None]:
    """Whoever keeps or claims a key waits until this ends."""
    with work.database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE kept_replies IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize("path", [PATH, BATCH])
def test_a_key_whose_claim_hangs_delays_no_answer_beyond_its_deadline(work: Workspace, path: str) -> None:
    """The lock is held until the answers are there: whoever waited for it would never be answered."""
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    body = QUESTION if path == PATH else {"requests": [QUESTION]}
    headers = {**KEYED, "X-Request-Timeout-Ms": "400"}

    async def once() -> tuple[httpx.Response, httpx.Response]:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            with locked_out(work):
                meanwhile = await asyncio.wait_for(client.post(path, json=body, headers=headers), 20)
            while True:  # the claim that came too late is given back, and keys are kept again
                afterwards = await client.post(path, json=body, headers=KEYED)
                if afterwards.status_code != 409 and "key_not_kept" not in afterwards.text:
                    return meanwhile, afterwards
                await asyncio.sleep(0.05)

    answers = [each.json() if path == PATH else each.json()["results"][0]["answer"] for each in asyncio.run(once())]
    assert [each.get("flags") for each in answers] == [["key_not_kept"], None]


def test_after_a_claim_that_hung_the_next_ones_do_not_wait_as_long(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first takes all of its four seconds; each of the others has three, which it would not do with."""
    monkeypatch.setattr(recording, "LATENESS_SECONDS", 10.0)  # how fast the disk is then is not what is asked here
    many = {**KEYED, "X-Request-Timeout-Ms": "4000"}

    async def once() -> tuple[list[httpx.Response], httpx.Response]:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, app):
            keys = [{**many, "Idempotency-Key": f'"{number}"'} for number in range(8)]
            with locked_out(work):
                first = await client.post(PATH, json=QUESTION, headers=keys[0])
                hung = app._once.is_away
                rest = [await asyncio.wait_for(client.post(PATH, json=QUESTION, headers=each), 3) for each in keys[1:]]
            assert hung
            while app._once.is_away:
                await client.post(PATH, json=QUESTION, headers=keys[0])
                await asyncio.sleep(0.05)
            return [first, *rest], await client.post(PATH, json=QUESTION, headers=KEYED)

    answers, afterwards = asyncio.run(once())
    assert [each.json()["flags"] for each in answers] == [["key_not_kept"]] * 8
    assert "flags" not in afterwards.json()


def test_an_answer_does_not_wait_for_its_reply_to_be_kept_beyond_its_deadline(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, real = threading.Event(), replies.settle_all

    def hang(*given: Any) -> Any:
        hanging.wait(60)
        return real(*given)

    async def once() -> tuple[httpx.Response, httpx.Response]:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work)) as (client, _):
            monkeypatch.setattr(replies, "settle_all", hang)
            headers = {**KEYED, "X-Request-Timeout-Ms": "400"}
            first = await asyncio.wait_for(client.post(PATH, json=QUESTION, headers=headers), 20)
            hanging.set()
            while (again := await client.post(PATH, json=QUESTION, headers=KEYED)).status_code == 409:
                await asyncio.sleep(0.05)
            return first, again

    first, again = asyncio.run(once())
    assert "flags" not in first.json()
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert decided(work) == 1
