"""What others serve, as programs: MODEL COLUMNS PORT. Each gets all columns of a row; none of them records anything.

``SHARED`` is read by every program before its own: the model, the codes of categories, and LightGBM's call for one row.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import peer
from benchmarks.serve_home import Home
from benchmarks.serve_load import Failed

LIGHTGBM = "lightgbm==4.7.0"
WEB = ("fastapi==0.163.2", "uvicorn[standard]==0.54.0", LIGHTGBM, "msgspec==0.22.0", "numpy", "pandas==2.3.3")
MLSERVER = ("mlserver==1.7.1", "mlserver-lightgbm==1.7.1", LIGHTGBM, "httptools==0.9.0", "uvloop==0.21.0")
BENTOML = ("bentoml==1.4.39", LIGHTGBM, "numpy", "httptools")

_UVICORN = """
import uvicorn
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), access_log=False, log_level="warning")
"""

_SHARED = """
import json
import os
import sys
import numpy
import lightgbm
MODEL, COLUMNS = (os.environ["MODEL"], os.environ["COLUMNS"]) if "MODEL" in os.environ else sys.argv[1:3]
columns = json.load(open(COLUMNS))
codes = {name: {level: float(2 + at) for at, level in enumerate(levels)} for name, levels in columns if levels}
booster = lightgbm.Booster(model_file=MODEL)
def encoded(row):
    return [codes[name].get(row[name], 1.0 if row[name] is not None else 0.0) if levels
            else float("nan") if row[name] is None else row[name] for name, levels in columns]
"""

_HELLO = """
import sys
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})
"""

_FAST_ROW = """
import ctypes
import msgspec
from lightgbm.basic import _LIB
Row = msgspec.defstruct("Row", [(name, (str if levels else float) | None) for name, levels in columns])
decode = msgspec.json.Decoder(Row).decode
readers = [(name, codes.get(name)) for name, _ in columns]
config, length, score = ctypes.c_void_p(), ctypes.c_int64(), (ctypes.c_double * 1)()
_LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
    booster._handle, 0, 0, -1, 1, ctypes.c_int32(len(columns)), b"num_threads=1", ctypes.byref(config))
row, NAN = (ctypes.c_double * len(columns))(), float("nan")
def value(request, name, code):
    given = getattr(request, name)
    if code is not None:
        return 0.0 if given is None else code.get(given, 1.0)
    return NAN if given is None else given
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status, body = 200, b"{}"
    if scope["method"] == "POST":
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        try:
            request = decode(body)
            row[:] = [value(request, name, code) for name, code in readers]
            _LIB.LGBM_BoosterPredictForMatSingleRowFast(config, row, ctypes.byref(length), score)
            body = b'{"probability":%.6f}' % score[0]
        except msgspec.DecodeError:
            status, body = 422, b"{}"
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""

_ROW = """
from pydantic import BaseModel, create_model
Row = create_model("Row", **{name: ((str if levels else float) | None, None) for name, levels in columns})
class Answer(BaseModel):
    probability: float
"""

_FASTAPI = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
def health() -> dict[str, str]:
    return {}
"""

_FASTAPI_NUMPY = """
@app.post("/predict")
async def predict(row: Row) -> Answer:
    found = booster.predict(numpy.array([encoded(row.__dict__)]), num_threads=1)
    return Answer(probability=float(found[0]))
"""

_FASTAPI_DATAFRAME = """
import pandas
@app.post("/predict")
async def predict(row: Row) -> Answer:
    frame = pandas.DataFrame([encoded(row.model_dump())], columns=list(Row.model_fields))
    found = booster.predict(frame, num_threads=1)
    return Answer(probability=float(found[0]))
"""

_BENTOML = """
import bentoml
@bentoml.service(workers=1, http={"port": int(os.environ["PORT"])}, logging={"access": {"enabled": False}})
class Late:
    @bentoml.api(route="/predict")
    def predict(self, row: Row, /) -> Answer:
        found = booster.predict(numpy.array([encoded(row.__dict__)]), num_threads=1)
        return Answer(probability=float(found[0]))
"""


@dataclasses.dataclass(frozen=True)
class Peer:
    """A server of somebody else: what it is made of, and what it is asked."""

    name: str
    does: str
    packages: tuple[str, ...]
    program: str
    path: str = "/predict"
    ready: str = "/"


def _web(name: str, does: str, program: str) -> Peer:
    return Peer(name, does, WEB, program + _UVICORN)


PEERS = (
    _web("hello", "bare ASGI on uvicorn, nothing: the floor", _HELLO),
    _web("msgspec", "bare ASGI, msgspec, LightGBM's fast row: validates, scores", _SHARED + _FAST_ROW),
    _web("fastapi numpy", "validates, scores", _SHARED + _ROW + _FASTAPI + _FASTAPI_NUMPY),
    _web("fastapi dataframe", "validates, scores: what people write", _SHARED + _ROW + _FASTAPI + _FASTAPI_DATAFRAME),
    Peer("mlserver", "scores; in processes, its default", MLSERVER, "", "/v2/models/late/infer", "/v2/health/ready"),
    Peer("mlserver inline", "scores; in its own process", MLSERVER, "", "/v2/models/late/infer", "/v2/health/ready"),
    Peer("bentoml", "validates, scores", BENTOML, _SHARED + _ROW + _BENTOML, ready="/livez"),
)


def installed(one: Peer) -> Path:
    """The Python that it runs on.

    Raises:
        Failed: it cannot be had on this machine.
    """
    try:
        return peer(one.packages)
    except subprocess.CalledProcessError:
        raise Failed(f"it cannot be installed here: {', '.join(one.packages)}") from None


def command(one: Peer, python: Path, home: Home, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
    """How it is started, and its environment."""
    folder = home.folder / "peers" / one.name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    if one.packages is MLSERVER:
        return _mlserver(one, python, home, folder, port)
    program = folder / "served.py"
    program.write_text(one.program)
    if one.packages is BENTOML:
        told = {"MODEL": str(home.model), "COLUMNS": str(home.encoder), "PORT": str(port), "BENTOML_DO_NOT_TRACK": "1"}
        told |= {"BENTOML_HOME": str(folder / "home"), "PYTHONPATH": str(folder)}
        serve = [str(python), "-m", "bentoml", "serve", "served:Late", "--working-dir", str(folder)]
        return [*serve, "--host", "127.0.0.1", "--port", str(port)], told
    return [str(python), str(program), str(home.model), str(home.encoder), str(port)], {}


def _mlserver(one: Peer, python: Path, home: Home, folder: Path, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
    model = folder / "model.bst"
    model.write_bytes(home.model.read_bytes())
    settings: dict[str, Any] = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    if one.name == "mlserver inline":
        settings["parallel_workers"] = 0
    served = {"name": "late", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": {"uri": str(model)}}
    (folder / "settings.json").write_text(json.dumps(settings | {"debug": False}))
    (folder / "model-settings.json").write_text(json.dumps(served))
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return [str(python), str(python.parent / "mlserver"), "start", str(folder)], {"PATH": path}


def bodies(home: Home) -> tuple[Path, Path]:
    """The rows as one JSON object each, and as the Open Inference Protocol puts them: numbers in a tensor."""
    plain, tensors = home.folder / "plain.jsonl", home.folder / "tensors.jsonl"
    if not tensors.exists():
        rows = home.rows
        plain.write_text("\n".join(json.dumps(row) for row in rows))
        columns = json.loads(home.encoder.read_text())
        tensors.write_text("\n".join(json.dumps(_tensor(_encoded(row, columns))) for row in rows))
    return plain, tensors


def _tensor(row: Sequence[float | None]) -> dict[str, Any]:
    numbers = [0.0 if value is None else value for value in row]  # JSON has no NaN, and its protocol no other word
    return {"inputs": [{"name": "row", "shape": [1, len(row)], "datatype": "FP64", "data": numbers}]}


def _encoded(row: Mapping[str, Any], columns: Sequence[tuple[str, list[str] | None]]) -> list[float | None]:
    found: list[float | None] = []
    for name, levels in columns:
        value = row[name]
        if levels is None:
            found.append(value)
        else:
            found.append(0.0 if value is None else float(2 + levels.index(value)) if value in levels else 1.0)
    return found
