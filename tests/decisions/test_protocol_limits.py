"""A key's limit holds in the protocols of others, and each of their answers says how the key stands."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.decisions.asking import key_of
from tests.decisions.inference.framing import inputs
from tests.decisions.protocols import console_of
from tests.decisions.small import FILE, Model, serving

from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition

INFER, FLAGS = "/v2/models/small/infer", "/ofrep/v1/evaluate/flags"
POLICY = '"key";q=5;w=60'
CONTEXT = {"context": {"targetingKey": "t1"}}


@pytest.fixture
def client(work: Workspace) -> Iterator[httpx.Client]:
    """An app that may ask five times a minute."""
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    headers = {"Authorization": f"Bearer {key_of(work, per_minute=5)}"}
    with (
        console_of(work, serving(definition, Model(lambda: 0.6))) as (url, _),
        httpx.Client(base_url=url, headers=headers, timeout=20) as asking,
    ):
        yield asking


def left(reply: httpx.Response) -> int:
    """What an answer says is left, in the fields of draft-ietf-httpapi-ratelimit-headers-10."""
    assert reply.headers["ratelimit-policy"] == POLICY
    policy, rest, full_in = reply.headers["ratelimit"].split(";")
    assert (policy, rest[:2], full_in[:2]) == ('"key"', "r=", "t=")
    return int(rest[2:])


def test_flags_and_models_say_how_the_key_stands_and_at_last_that_it_is_used_up(client: httpx.Client) -> None:
    standing = [
        left(reply)
        for reply in (
            client.post(FLAGS, json=CONTEXT),
            client.post(f"{FLAGS}/small.stage", json=CONTEXT),
            client.get("/v2/models/small"),
            client.get("/v2/models/nothing"),
            client.get("/v2/models/small/ready"),
        )
    ]
    assert standing == [4, 3, 2, 1, 0]
    for path in (FLAGS, INFER):
        refused = client.post(path, json=CONTEXT)
        assert (refused.status_code, left(refused)) == (429, 0)
        assert int(refused.headers["retry-after"]) >= 1


def test_each_row_of_a_batch_counts_and_the_last_single_one_is_answered(client: httpx.Client) -> None:
    three = client.post(INFER, json={"inputs": inputs()})
    assert (three.status_code, left(three)) == (200, 2)
    one = {"inputs": [{**each, "shape": [1], "data": each["data"][:1]} for each in inputs()]}
    replies = [client.post(INFER, json=one) for _ in range(3)]
    assert [(each.status_code, left(each)) for each in replies] == [(200, 1), (200, 0), (429, 0)]
