"""The clients of Triton and KServe, each in an environment of its own, against the product's routes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.decisions.protocols import console_of, key_for
from tests.decisions.small import FILE, Model, serving
from tests.docs.blocks import printed, python_blocks

from pilotage.decisions import flow
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition

pytestmark = pytest.mark.long  # building their environments takes a minute, the first time

CLIENTS = Path(__file__).parent / "clients"
TRITON = ("tritonclient[http]==2.73.0",)
# What KServe's client imports; the package itself asks for more, such as Ray.
KSERVE = (
    *("cloudevents<2", "fastapi", "grpcio", "grpc-interceptor", "httpx", "kubernetes", "numpy", "orjson", "pandas"),
    *("pillow", "prometheus-client", "protobuf", "psutil", "pydantic", "pyjwt", "python-dateutil", "python-multipart"),
    *("pyyaml", "six", "tabulate", "timing-asgi", "uvicorn", "watchfiles"),
)
KSERVE_ITSELF = "kserve==0.21.0"


def python_with(folder: Path, packages: tuple[str, ...], alone: str = "") -> Path:
    """The Python of an environment with these packages, and one more without what it asks for; kept for next time."""
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        if alone:
            subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", alone], check=True)
        done.touch()
    return python


@pytest.fixture
def address(work: Workspace) -> Iterator[str]:
    with console_of(work, serving(parse_definition(FILE, "small.yaml"), Model(lambda: 0.6))) as (address, _):
        yield address


@pytest.fixture
def key(work: Workspace) -> str:
    return key_for(work)


def seen(python: Path, script: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run([python, CLIENTS / script, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_tritons_client_gets_recorded_decisions(
    key: str, address: str, work: Workspace, pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.cache is not None
    found = seen(
        python_with(pytestconfig.cache.mkdir("tritonclient"), TRITON), "ask_with_tritonclient.py", address, key
    )
    assert (found["live"], found["ready"], found["model_ready"], found["other_ready"]) == (True, True, True, False)
    assert found["extensions"] == ["binary_tensor_data"]
    assert found["inputs"] == ["thing", "size", "at", "colour"]
    assert found["binary"]["id"] == "7"
    assert found["binary"]["outputs"]["answer"] == [True] * 3
    assert found["binary"]["outputs"]["action"] == ["Do it"] * 3
    assert list(found["json"]["outputs"]) == ["answer", "decision_id"]
    for reply in ("binary", "json"):
        entities = [flow.find(work, each).entity for each in found[reply]["outputs"]["decision_id"]]
        assert entities == ["t1", "t2", "t3"]
    assert found["versioned"]["outputs"] == {"probability": [0.6] * 3}
    assert found["refused"] == ["404", "Version ver_0 of small is not live. Live is ver_1: ask for it, or for none."]
    assert found["stranger"][0] == "401"


def test_kserves_client_gets_recorded_decisions(
    key: str, address: str, work: Workspace, pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.cache is not None
    python = python_with(pytestconfig.cache.mkdir("kserve"), KSERVE, KSERVE_ITSELF)
    found = seen(python, "ask_with_kserve.py", address, key)
    assert (found["live"], found["ready"], found["model_ready"], found["other_ready"]) == (True, True, True, False)
    for reply in ("binary", "json"):
        said = found[reply]
        assert (said["answer"], said["probability"]) == ([True] * 3, [0.6] * 3)
        assert [flow.find(work, each).entity for each in said["decision_id"]] == ["t1", "t2", "t3"]
    assert "There is no use case" in found["refused"]


def test_the_how_tos_programs_run_as_they_stand(key: str, address: str, pytestconfig: pytest.Config) -> None:
    assert pytestconfig.cache is not None
    with_triton, with_kserve = python_blocks("how-to/ask-by-the-open-inference-protocol.md")
    told = {"PILOTAGE_ADDRESS": address, "PILOTAGE_KEY": key}
    triton = printed(python_with(pytestconfig.cache.mkdir("tritonclient"), TRITON), with_triton, **told)
    assert triton == "[ True  True] [b'Do it' b'Do it'] [b'model' b'model']\n"
    kserve = printed(python_with(pytestconfig.cache.mkdir("kserve"), KSERVE, KSERVE_ITSELF), with_kserve, **told)
    assert kserve.startswith("answer [ True  True]\nprobability [0.6 0.6]\n")
