"""The Open Inference Protocol over real routes: a use case is a model, every row a recorded decision."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient
from tests.decisions.inference.framing import (
    ENTITIES,
    TIMES,
    binary,
    doubles,
    inputs,
    outputs,
    tensor,
    texts,
    three_rows,
)
from tests.decisions.protocols import console_of, key_for
from tests.decisions.small import FILE, Model, serving

from pilotage.decisions import flow, rules
from pilotage.decisions.answering.scoring import Scoring
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.durable import draining
from pilotage.decisions.inference.asking import BATCHES_OF_ONE_MAX
from pilotage.govern.records import SYSTEM, Role
from pilotage.models.records import Prediction
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases.records import Stage
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console

INFER = "/v2/models/small/infer"


class Door:
    """The protocol over one installation, with a key that may ask; each test says what answers."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
        self.key, self.foreign = key_for(work), key_for(work, "another")
        self.reader = key_for(work, "small", Role.VIEWER)
        self.service: Service
        self.client: httpx.Client

    def answers_by(self, ready: Serving) -> httpx.Client:
        """From now on this answers; what slow models left behind is forgotten."""
        self.service.scoring.close()
        self.service.scoring = Scoring()
        self.service.following.servings = {"small": ready}
        return self.client


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    at = FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC))
    work = open_workspace(Settings(home=tmp_path_factory.mktemp("inference") / "home"), at)
    door = Door(work)
    headers = {"Authorization": f"Bearer {door.key}"}
    with (
        console_of(work) as (url, door.service),
        httpx.Client(base_url=url, headers=headers, timeout=20) as door.client,
    ):
        yield door
    work.close()


@pytest.fixture
def client(door: Door) -> httpx.Client:
    """In assist: the model says 0.6 of all."""
    return door.answers_by(serving(door.definition, Model(lambda: 0.6)))


@pytest.fixture
def work(door: Door) -> Workspace:
    return door.work


@pytest.fixture
def definition(door: Door) -> Definition:
    return door.definition


def test_every_row_becomes_a_recorded_decision(client: httpx.Client, work: Workspace) -> None:
    reply = client.post(INFER, json={"id": "batch 7", "inputs": inputs()})
    found = outputs(reply)
    assert (reply.json()["id"], reply.json()["model_name"], reply.json()["model_version"]) == (
        "batch 7",
        "small",
        "ver_1",
    )
    assert (found["answer"], found["probability"]) == ([True] * 3, [0.6] * 3)
    assert (found["action"], found["produced_by"], found["reason"]) == (["Do it"] * 3, ["model"] * 3, ["model"] * 3)
    recorded = [flow.find(work, each) for each in found["decision_id"]]
    assert [each.entity for each in recorded] == ENTITIES
    assert [each.inputs["size"] for each in recorded] == [7.0, 4.0, 9.0]
    assert {each.asked_by for each in recorded} == {"app of small"}


def test_tensors_as_bytes_say_the_same_as_in_json(client: httpx.Client, work: Workspace) -> None:
    body, headers = three_rows(parameters={"binary_data_output": True})
    reply = client.post(INFER, content=body, headers=headers)
    assert reply.headers["content-type"] == "application/octet-stream"
    found = outputs(reply)
    plain = outputs(client.post(INFER, json={"inputs": inputs()}))
    assert {name: found[name] for name in found if name != "decision_id"} == {
        name: plain[name] for name in plain if name != "decision_id"
    }
    assert [flow.find(work, each).moment for each in found["decision_id"]] == [
        datetime(2013, 12, 5, 19, tzinfo=UTC)
    ] * 3


def test_outputs_come_as_they_are_asked_for(client: httpx.Client) -> None:
    wanted = [{"name": "probability", "parameters": {"binary_data": True}}, {"name": "action"}]
    reply = client.post(INFER, json={"inputs": inputs(), "outputs": wanted})
    assert list(outputs(reply)) == ["probability", "action"]
    assert "Inference-Header-Content-Length" in reply.headers
    assert outputs(reply)["probability"] == [0.6] * 3


def test_what_is_not_known_is_null_or_nan_or_empty(client: httpx.Client, work: Workspace) -> None:
    colours = tensor("colour", "BYTES", ["red", None, ""])
    found = outputs(client.post(INFER, json={"inputs": [*inputs(), colours]}))
    assert [flow.find(work, each).inputs["colour"] for each in found["decision_id"]] == ["red", None, None]
    body, headers = binary(
        [
            ("thing", "BYTES", [1], texts(["t9"])),
            ("size", "FP64", [1], doubles([math.nan])),
            ("at", "BYTES", [1], texts(TIMES[:1])),
        ]
    )
    refused = client.post(INFER, content=body, headers=headers)
    assert refused.status_code == 400
    assert "row 0, size: must be a number; null came" in refused.json()["error"]


def test_whole_numbers_are_numbers_and_32_bits_are_not(client: httpx.Client) -> None:
    as_given = [tensor("thing", "BYTES", ENTITIES), tensor("size", "INT64", [7, 4, 9]), tensor("at", "BYTES", TIMES)]
    assert outputs(client.post(INFER, json={"inputs": as_given}))["answer"] == [True] * 3
    as_given[1]["datatype"] = "FP32"
    refused = client.post(INFER, json={"inputs": as_given})
    assert (refused.status_code, "must be FP64; FP32 came" in refused.json()["error"]) == (400, True)


def test_in_shadow_the_rule_answers_and_nothing_of_the_model_is_told(
    door: Door, definition: Definition, work: Workspace
) -> None:
    client = door.answers_by(serving(definition, Model(lambda: 0.1), Stage.SHADOW))
    reply = client.post(INFER, json={"inputs": inputs(), "outputs": [{"name": "answer"}, {"name": "probability"}]})
    assert outputs(reply) == {"answer": [True, False, True]}  # the rule: size > 5
    whole = outputs(client.post(INFER, json={"inputs": inputs()}))
    assert "probability" not in whole and whole["reason"] == ["shadow"] * 3
    assert flow.find(work, whole["decision_id"][0]).probability == 0.1


def test_entities_that_keep_the_rule_have_no_probability(door: Door, definition: Definition) -> None:
    half = serving(definition, Model(lambda: 0.6))
    half = dataclasses.replace(half, live=msgspec.structs.replace(half.live, share=0.5))
    names = [f"t{number}" for number in range(64)]
    arms = [rules.arm_of("small", name, Stage.ASSIST, 0.5) for name in names]
    rows = [tensor("thing", "BYTES", names), tensor("size", "FP64", [1.0] * 64), tensor("at", "BYTES", TIMES[:1] * 64)]
    client = door.answers_by(half)
    found = outputs(client.post(INFER, json={"inputs": rows}))
    assert found["produced_by"] == arms and set(arms) == {"model", "rule"}
    assert found["probability"] == [0.6 if arm == "model" else None for arm in arms]
    body = {"inputs": rows, "parameters": {"binary_data_output": True}}
    as_bytes = outputs(client.post(INFER, json=body))["probability"]
    assert [math.isnan(value) for value in as_bytes] == [arm == "rule" for arm in arms]


def recorded(door: Door) -> list[str]:
    """The decisions in the spool."""
    return [each.id for each in draining.waiting(door.work.home / "spool")]


def without(name: str) -> list[dict[str, Any]]:
    return [each for each in inputs() if each["name"] != name]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"inputs": without("size")}, "row 0, size: is missing; wanted a number"),
        ({"inputs": [*inputs(), tensor("weight", "FP64", [1.0] * 3)]}, "row 0, weight: is not a field"),
        ({"inputs": [*without("size"), tensor("size", "FP64", [7.0, "four", 9.0])]}, "row 1, size: must be a number"),
        ({"inputs": [*without("size"), tensor("size", "FP64", [7.0])]}, "the same 1 to 1,000 rows"),
        ({"inputs": [*without("size"), {**inputs()[1], "shape": [2]}]}, "names 2 rows and has 3 values"),
        ({"inputs": [*without("size"), {**inputs()[1], "shape": [1, 3]}]}, "must have the shape [rows]"),
        ({"inputs": [*inputs(), inputs()[1]]}, "Input size came twice"),
        ({"inputs": [*without("at"), tensor("at", "BYTES", ["yesterday"] * 3)]}, "row 0, at: must be an instant"),
        ({"inputs": []}, "the same 1 to 1,000 rows"),
        ({"inputs": [tensor("thing", "BYTES", [])]}, "the same 1 to 1,000 rows"),
        ({"inputs": [tensor("thing", "BYTES", ["t"] * 1001)]}, "the same 1 to 1,000 rows"),
        ({"inputs": inputs(), "outputs": [{"name": "logits"}]}, "There is no output logits"),
        ({"input": inputs()}, "is no inference request"),
        ({"inputs": [{"name": "thing", "datatype": "BYTES", "shape": [1]}]}, "Input thing has no data"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_whole_and_told_why(
    client: httpx.Client, door: Door, given: dict[str, Any], told: str
) -> None:
    before = recorded(door)
    refused = client.post(INFER, json=given)
    assert (refused.status_code, list(refused.json())) == (400, ["error"])
    assert told in refused.json()["error"]
    assert recorded(door) == before


ONE = [("thing", "BYTES", [1], texts(["t1"])), ("at", "BYTES", [1], texts(TIMES[:1]))]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (("size", "FP64", [1], b"\0" * 7), "8 bytes per value"),
        (("size", "FP64", [2], doubles([1.0])), "names 2 rows and has 1 values"),
        (("size", "FP64", [1], doubles([math.inf])), "must be of finite numbers"),
        (("colour", "BYTES", [1], b"\xff\xff\xff\xff"), "ends within a text"),
        (("colour", "BYTES", [1], b"\1\0"), "ends within a text"),
        (("colour", "BYTES", [1], b"\1\0\0\0\xff"), "must be of texts in UTF-8"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(
    client: httpx.Client, part: tuple[str, str, list[int], bytes], told: str
) -> None:
    body, headers = binary([*ONE, part])
    refused = client.post(INFER, content=body, headers=headers)
    assert refused.status_code == 400
    assert told in refused.json()["error"]


@pytest.mark.parametrize("length", ["-1", "999999", "x", "1" * 40, "²"])
def test_a_header_length_beyond_the_body_is_refused(client: httpx.Client, length: str) -> None:
    body, _ = three_rows()
    headers = {"Inference-Header-Content-Length": length.encode()}
    assert client.post(INFER, content=body, headers=headers).status_code == 400  # type: ignore[arg-type]


def test_bytes_that_belong_to_nobody_are_refused(client: httpx.Client) -> None:
    body, headers = three_rows()
    refused = client.post(INFER, content=body + b"more", headers=headers)
    assert refused.json()["error"].startswith("4 bytes behind the JSON belong to no input.")
    head = json.dumps({"inputs": [{**inputs()[0], "data": None, "parameters": {"binary_data_size": 10**9}}]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    assert "must be a number of bytes" in client.post(INFER, content=head, headers=headers).json()["error"]


def test_an_idempotency_key_that_would_not_be_kept_is_refused(client: httpx.Client) -> None:
    refused = client.post(INFER, json={"inputs": inputs()}, headers={"Idempotency-Key": "one"})
    assert refused.status_code == 400
    assert "Idempotency-Key is not kept under /v2." in refused.json()["error"]


def test_only_the_live_version_answers(client: httpx.Client) -> None:
    body = {"inputs": inputs()}
    assert client.post("/v2/models/small/versions/ver_1/infer", json=body).status_code == 200
    refused = client.post("/v2/models/small/versions/ver_0/infer", json=body)
    assert (refused.status_code, refused.json()["error"]) == (
        404,
        "Version ver_0 of small is not live. Live is ver_1: ask for it, or for none.",
    )
    assert client.get("/v2/models/small/versions/ver_1/ready").status_code == 200
    assert client.get("/v2/models/small/versions/ver_0/ready").status_code == 404


def test_a_model_says_what_it_takes_and_gives(client: httpx.Client) -> None:
    said = client.get("/v2/models/small").json()
    assert said == client.get("/v2/models/small/versions/ver_1").json()
    assert (said["name"], said["versions"], said["platform"]) == ("small", ["ver_1"], "pilotage")
    assert [(each["name"], each["datatype"], each["shape"]) for each in said["inputs"]] == [
        ("thing", "BYTES", [-1]),
        ("size", "FP64", [-1]),
        ("at", "BYTES", [-1]),
        ("colour", "BYTES", [-1]),
    ]
    assert said["inputs"][3]["parameters"] == {"kind": "category", "required": False}
    assert [each["name"] for each in said["outputs"]] == [
        "answer",
        "probability",
        "action",
        "produced_by",
        "reason",
        "decision_id",
    ]


def test_a_server_says_which_extensions_it_speaks(client: httpx.Client) -> None:
    said = httpx.get(f"{client.base_url}/v2").json()
    assert (said["name"], said["extensions"]) == ("pilotage", ["binary_tensor_data"])
    assert httpx.get(f"{client.base_url}/v2/health/live").json() == {"live": True}
    assert httpx.get(f"{client.base_url}/v2/health/ready").json() == {"ready": True}


@pytest.mark.parametrize("path", ["", "/ready", "/infer", "/versions/ver_1/infer"])
def test_only_a_key_of_the_use_case_may_ask(client: httpx.Client, door: Door, path: str) -> None:
    def asked(key: str) -> tuple[int, list[str]]:
        headers = {"Authorization": f"Bearer {key}"}
        method = "POST" if path.endswith("infer") else "GET"
        reply = httpx.request(method, f"{client.base_url}/v2/models/small{path}", headers=headers, json={"inputs": []})
        return reply.status_code, list(reply.json())

    assert asked("pk_nobody") == (401, ["error"])
    assert asked("none") == (401, ["error"])
    assert asked(door.foreign) == (404, ["error"])
    assert asked(door.reader) == (403, ["error"])


def test_what_is_not_there_is_told_in_the_protocols_form(client: httpx.Client) -> None:
    assert (client.get("/v2/nowhere").status_code, list(client.get("/v2/nowhere").json())) == (404, ["error"])
    assert (client.get(INFER).status_code, list(client.get(INFER).json())) == (405, ["error"])
    assert "There is no use case 'other'" in client.post("/v2/models/other/infer", json={"inputs": []}).json()["error"]


def test_a_request_that_names_a_tensors_data_twice_is_refused(client: httpx.Client) -> None:
    body = json.dumps({"inputs": inputs()}).replace('"data":', '"data": [], "data":', 1)
    refused = client.post(INFER, content=body)
    assert refused.status_code == 400 and "names a field twice: data" in refused.json()["error"]


def test_compressed_and_endless_bodies_are_not_read(client: httpx.Client, work: Workspace) -> None:
    packed = client.post(INFER, content=b"x", headers={"Content-Encoding": "gzip"})
    assert (packed.status_code, list(packed.json())) == (415, ["error"])
    large = client.post(INFER, content=b" " * (work.settings.request_bytes_max + 1))
    assert (large.status_code, list(large.json())) == (413, ["error"])


def slow() -> float:
    time.sleep(3)
    return 0.9


def test_a_slow_model_leaves_its_rows_to_the_rule_within_the_callers_patience(
    door: Door, definition: Definition
) -> None:
    client = door.answers_by(serving(definition, Model(slow)))
    began = time.perf_counter()
    reply = client.post(INFER, json={"inputs": inputs()}, headers={"X-Request-Timeout-Ms": "60"})
    found = outputs(reply)
    assert time.perf_counter() - began < 2
    assert set(found["produced_by"]) == {"rule"}
    assert set(found["reason"]) <= {"too_slow", "overloaded", "circuit_open"}
    assert "probability" not in found


def test_a_switch_off_counts_for_the_rows_that_are_still_to_come(door: Door, definition: Definition) -> None:
    asked = 0

    def switched_off_after_five() -> float:
        nonlocal asked
        asked += 1
        if asked == 5:
            off = serving(definition, None, quiet="disabled")
            door.service.following.servings = {"small": off}
        return 0.6

    rows = [
        tensor("thing", "BYTES", [f"t{number}" for number in range(40)]),
        tensor("size", "FP64", [1.0] * 40),
        tensor("at", "BYTES", TIMES[:1] * 40),
    ]
    client = door.answers_by(serving(definition, Model(switched_off_after_five)))
    found = outputs(client.post(INFER, json={"inputs": rows}))
    assert found["reason"] == ["model"] * 5 + ["disabled"] * 35


OTHERS = {
    "category": ("category: colour", "category: \"'red'\"", "right: 1, wrong: -1", "red"),
    "number": ("number: size", "number: size", "too_low: -1, too_high: -1", "1.5"),
}


def of_kind(kind: str) -> Definition:
    """The small use case with another outcome."""
    outcome, rule, value, default = OTHERS[kind]
    text = FILE.replace("positive: size > 3", outcome).replace('positive: "size > 5"', rule)
    text = text.replace("caught: 10, false_alarm: -5", value).replace("default: negative", f"default: {default}")
    return parse_definition(text.replace("{positive: Do it, negative: Leave it}", "{}"), "small.yaml")


class Said(Model):
    """Says this prediction of every row."""

    def __init__(self, said: Prediction) -> None:
        super().__init__(lambda: said.score)
        self._said = said

    def predict(self, values: dict[str, Any]) -> Prediction:
        return self._said


def test_a_category_comes_with_confidence_and_shares(door: Door, work: Workspace) -> None:
    definition = of_kind("category")
    said = Prediction("blue", 0.7, review=False, shares={"blue": 0.7, "red": 0.3})
    client = door.answers_by(serving(definition, Said(said)))
    found = outputs(client.post(INFER, json={"inputs": inputs()}))
    assert (found["answer"], found["confidence"]) == (["blue"] * 3, [0.7] * 3)
    assert [json.loads(each) for each in found["shares"]] == [{"blue": 0.7, "red": 0.3}] * 3
    client = door.answers_by(serving(definition, Said(said), Stage.SHADOW))
    found = outputs(client.post(INFER, json={"inputs": inputs()}))
    assert found["answer"] == ["red"] * 3
    assert not {"confidence", "shares"} & set(found)


def test_a_number_comes_with_its_interval(door: Door) -> None:
    definition = of_kind("number")
    client = door.answers_by(serving(definition, Said(Prediction(12.5, 12.5, review=False, low=10.0, high=20.0))))
    found = outputs(client.post(INFER, json={"inputs": inputs()}))
    assert (found["value"], found["low"], found["high"]) == ([12.5] * 3, [10.0] * 3, [20.0] * 3)


def test_batches_count_their_rows_against_the_keys_limit(
    door: Door, definition: Definition, work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = door.answers_by(serving(definition, Model(lambda: 0.6)))
    monkeypatch.setattr(door.service.limits, "_usual", 6)
    replies = [client.post(INFER, json={"inputs": inputs()}) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert int(replies[-1].headers["retry-after"]) > 0 and list(replies[-1].json()) == ["error"]


def test_more_batches_at_once_than_a_caller_may_have_are_turned_away(door: Door, definition: Definition) -> None:
    hurried = {"Authorization": f"Bearer {door.key}", "X-Request-Timeout-Ms": "2500"}

    def ask(_: int) -> httpx.Response:
        return client.post(INFER, json={"inputs": inputs()}, headers=hurried)

    client = door.answers_by(serving(definition, Model(slow)))
    with ThreadPoolExecutor(12) as callers:
        replies = sorted(callers.map(ask, range(12)), key=lambda each: each.status_code)
    assert [each.status_code for each in replies] == [200] * BATCHES_OF_ONE_MAX + [503] * (12 - BATCHES_OF_ONE_MAX)
    assert (replies[-1].headers["retry-after"], list(replies[-1].json())) == ("1", ["error"])


def test_without_a_process_that_answers_the_routes_say_so(work: Workspace) -> None:
    with TestClient(build_console(work)) as nobody:
        assert nobody.get("/readyz").status_code == 503
        assert (nobody.get("/v2/health/ready").status_code, nobody.get("/healthz").status_code) == (503, 200)
        assert nobody.post(INFER, json={"inputs": inputs()}).status_code == 401
