"""A remote model is asked by its protocol, in time and once; where it fails it is left alone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from pilotage.models.brought.endpoint.scorer import RemoteScorer
from pilotage.models.brought.endpoint.taking import TakenEndpoint, open_remote, take_endpoint
from pilotage.models.brought.refused import ModelRefused
from pilotage.platform.breaker import Breaker
from pilotage.platform.egress import EgressRefused, Unreachable
from pilotage.platform.errors import SettingsError
from pilotage.usecase.records import Brought
from tests.models.brought.calls import calls, examples, wanted

NAMES = ["balance", "campaign"]
BODY = '{"customer": {"balance": "$balance"}, "campaign": "$campaign"}'


class _Model:
    """What the server answers with, and what it was asked."""

    def __init__(self, estimator: LogisticRegression) -> None:
        self.estimator = estimator
        self.version, self.status, self.pause = "7", 200, 0.0
        self.asked: list[tuple[str, Any, dict[str, str]]] = []

    def probabilities(self, rows: Any) -> list[list[float]]:
        return self.estimator.predict_proba(np.array(rows, dtype=float)).tolist()

    def answer(self, path: str, asked: Any) -> Any:
        if path.startswith("/v2/"):
            (tensor,) = asked["inputs"]
            found = self.probabilities(np.reshape(tensor["data"], tensor["shape"]))
            flat = [one for row in found for one in row]
            outputs = [{"name": "p", "shape": [len(found), 2], "datatype": "FP64", "data": flat}]
            return {"model_name": "calls", "model_version": self.version, "outputs": outputs}
        if path == "/invocations":
            assert asked["dataframe_split"]["columns"] == NAMES
            return {"predictions": self.probabilities(asked["dataframe_split"]["data"])}
        rows = asked.get("instances", [asked])
        scores = [row[1] for row in self.probabilities([[r["customer"]["balance"], r["campaign"]] for r in rows])]
        version = {"version": self.version}
        return {"predictions": scores, "model": version} if "instances" in asked else {"s": scores[0], "model": version}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: _Model

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.model.asked.append((self.path, asked, dict(self.headers.items())))
        time.sleep(self.model.pause)
        body = json.dumps(self.model.answer(self.path, asked)).encode()
        self.send_response(self.model.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return calls().astype(dict.fromkeys(NAMES, float))


@pytest.fixture(scope="module")
def estimator(table: pd.DataFrame) -> LogisticRegression:
    return LogisticRegression().fit(table[NAMES].to_numpy(), table["y"])


@pytest.fixture
def model(estimator: LogisticRegression) -> _Model:
    return _Model(estimator)


@pytest.fixture
def port(model: _Model) -> Iterator[int]:
    handler = type("Handler", (_Handler,), {"model": model})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def _given(protocol: str, **more: Any) -> Brought:
    known: dict[str, Any] = {
        "open_inference": {"model": "calls", "inputs": {"x": NAMES}},
        "mlflow": {"inputs": {name: name for name in NAMES}},
        "json": {"body": BODY, "rows_at": "instances", "answer_at": "predictions", "version_at": "model.version"},
    }
    return Brought(endpoint="env:SCORER_URL", protocol=protocol, **{**known[protocol], **more})


def _taken(
    folder: Path, table: pd.DataFrame, model: _Model, port: int, given: Brought, **environment: str
) -> TakenEndpoint:
    wants = wanted(names=NAMES)
    expected = model.estimator.predict_proba(table[NAMES].to_numpy())[:40, 1]
    held = examples(folder, table.head(40), expected, wants)
    variables = {"SCORER_URL": f"http://127.0.0.1:{port}", **environment}
    return take_endpoint(given, held, wants, "Candidate calls", {"127.0.0.1"}, variables)


def _opened(taken: TakenEndpoint, port: int, breaker: Breaker | None = None) -> RemoteScorer:
    scorer = open_remote(taken.remote, {"127.0.0.1"}, "calls", {"SCORER_URL": f"http://127.0.0.1:{port}"})
    scorer.breaker = breaker or scorer.breaker
    return scorer


@pytest.mark.parametrize(
    ("given", "version"),
    [
        (_given("open_inference"), "7"),
        (_given("open_inference", model_version="7"), "7"),
        (_given("mlflow"), ""),
        (_given("json"), "7"),
        (_given("json", rows_at="", answer_at="s"), "7"),
    ],
    ids=["open inference", "open inference, a version", "mlflow", "json", "json, row by row"],
)
def test_each_protocol_answers_as_the_estimator_behind_it(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int, given: Brought, version: str
) -> None:
    taken = _taken(tmp_path, table, model, port, given)
    assert taken.remote.version == version
    scorer = _opened(taken, port)
    own = model.estimator.predict_proba(table[NAMES].to_numpy())[:1_200, [1]]
    rows = 1_200 if scorer._asking.rows_max > 1 else 20
    many = scorer.table(pa.Table.from_pandas(table[NAMES].head(rows), preserve_index=False))
    np.testing.assert_allclose(many, own[:rows], atol=1e-9)
    assert scorer.row(table[NAMES].iloc[3].to_dict()) == pytest.approx(own[3].tolist())
    if given.protocol == "open_inference":
        assert model.asked[-1][0] == "/v2/models/calls" + ("/versions/7" if given.model_version else "") + "/infer"


def test_headers_come_from_the_environment_and_never_into_what_is_kept(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    import msgspec

    given = _given("mlflow", headers={"Authorization": "env:SCORER_TOKEN"})
    with pytest.raises(SettingsError, match="SCORER_TOKEN, which is not set"):
        _taken(tmp_path, table, model, port, given)
    taken = _taken(tmp_path, table, model, port, given, SCORER_TOKEN="Bearer canary")
    assert model.asked[-1][2]["authorization"] == "Bearer canary"
    kept = msgspec.json.encode(taken.remote)
    assert b"canary" not in kept and b"127.0.0.1" not in kept


def test_a_private_host_that_is_not_listed_is_not_asked(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    taken = _taken(tmp_path, table, model, port, _given("mlflow"))
    asked = len(model.asked)
    with pytest.raises(EgressRefused, match="without encryption"):
        open_remote(taken.remote, (), "calls", {"SCORER_URL": f"http://127.0.0.1:{port}"})
    hidden = open_remote(taken.remote, (), "calls", {"SCORER_URL": "https://x.example"}, lambda *_: ["64:ff9b::a00:1"])
    with pytest.raises(EgressRefused, match="not in the open internet"):
        hidden.row({"balance": 1.0, "campaign": 1.0})
    assert len(model.asked) == asked


def test_one_that_answers_something_else_than_its_examples_is_refused(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    with pytest.raises(ModelRefused, match=r"row .* of examples.parquet expects"):
        _taken(tmp_path, table, model, port, _given("open_inference", inputs={"x": NAMES[::-1]}))
    with pytest.raises(ModelRefused, match="has nothing at scores"):
        _taken(tmp_path, table, model, port, _given("json", answer_at="scores"))
    model.status = 401
    with pytest.raises(ModelRefused, match=r"answers 401.*Check the headers"):
        _taken(tmp_path, table, model, port, _given("mlflow"))


def test_another_version_of_the_model_gives_no_answer(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    scorer = _opened(_taken(tmp_path, table, model, port, _given("json")), port)
    model.version = "8"
    with pytest.raises(ValueError, match="now serves version 8 of its model; version 7 was compared"):
        scorer.row({"balance": 1.0, "campaign": 1.0})


def test_a_slow_answer_is_not_waited_for_and_not_asked_again(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    scorer = _opened(_taken(tmp_path, table, model, port, _given("mlflow", timeout_ms=200)), port)
    model.pause, asked = 1.5, len(model.asked)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"did not answer within 0\.2 s"):
        scorer.row({"balance": 1.0, "campaign": 1.0})
    assert time.monotonic() - began < 1.2
    assert len(model.asked) == asked + 1


def test_after_failures_it_is_left_alone_then_tried_with_one_request(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    now = [0.0]
    breaker = Breaker(failures_max=3, pause_seconds=30.0, clock=lambda: now[0])
    scorer = _opened(_taken(tmp_path, table, model, port, _given("mlflow")), port, breaker)
    row = {"balance": 1.0, "campaign": 1.0}
    model.status = 503
    for _ in range(3):
        with pytest.raises(Unreachable, match="answers 503"):
            scorer.row(row)
    asked = len(model.asked)
    with pytest.raises(Unreachable, match="left alone"):
        scorer.row(row)
    assert len(model.asked) == asked
    now[0] = 31.0
    with pytest.raises(Unreachable, match="answers 503"):
        scorer.row(row)
    with pytest.raises(Unreachable, match="left alone"):
        scorer.row(row)
    now[0], model.status = 62.0, 200
    assert len(scorer.row(row)) == 1
    assert not breaker.is_open


def test_while_a_probe_is_under_way_nobody_else_passes() -> None:
    now = [0.0]
    breaker = Breaker(failures_max=1, pause_seconds=10.0, clock=lambda: now[0])
    assert breaker.admits()
    breaker.failed()
    now[0] = 10.0
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert breaker.admits()


def test_a_request_that_the_model_refuses_does_not_open_the_circuit(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    breaker = Breaker(failures_max=1)
    scorer = _opened(_taken(tmp_path, table, model, port, _given("mlflow")), port, breaker)
    model.status = 422
    with pytest.raises(Unreachable, match="answers 422"):
        scorer.row({"balance": 1.0, "campaign": 1.0})
    assert not breaker.is_open


def test_a_missing_number_is_null_or_has_no_answer_where_the_protocol_has_none(
    tmp_path: Path, table: pd.DataFrame, model: _Model, port: int
) -> None:
    scorer = _opened(_taken(tmp_path, table, model, port, _given("open_inference")), port)
    with pytest.raises(ValueError, match="campaign is missing, and the Open Inference Protocol"):
        scorer.row({"balance": 1.0})
