"""Past rows asked again of a served process, one by one and in batches, as an app would ask them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from tests.decisions.parity.conftest import Opened, Trained
from tests.promises.installation import Installation, running

from pilotage.govern.records import SYSTEM
from pilotage.platform.instants import as_utc
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.rollout import flow as rollout

FIRST = """
from datetime import timedelta
from pilotage.decisions.answering import following
following._LIVE_SPAN = timedelta(days=365)
"""
"""What Python runs first in the served process: apps ask about now, and here weeks of the past must stay answerable."""
ROUNDS_MAX = 50
BATCH = 200


def body_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the app sends for a past row; what it does not know it leaves out."""
    sent = {name: as_utc(each) if isinstance(each, datetime) else each for name, each in request.items()}
    return {name: each for name, each in sent.items() if each is not None}


class Asked:
    """Asks until the model answered; ``again`` is how often it did not in its time."""

    def __init__(self, client: httpx.Client, use_case: str) -> None:
        self._client = client
        self._path = f"/v1/use-cases/{use_case}/decisions"
        self.again = 0

    def scores(self, bodies: Sequence[dict[str, Any]]) -> list[float]:
        """The model's probability for each, half of them asked one by one and half in batches."""
        half = len(bodies) // 2
        return [self._one(body) for body in bodies[:half]] + self._batched(bodies[half:])

    def _one(self, body: dict[str, Any]) -> float:
        for _ in range(ROUNDS_MAX):
            reply = self._client.post(self._path, content=msgspec.json.encode(body))
            assert reply.status_code == 200, reply.text
            if (score := _score(reply.json())) is not None:
                return score
            self.again += 1  # the model was late: this machine does something else
        raise AssertionError(reply.text)

    def _batched(self, bodies: Sequence[dict[str, Any]]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(bodies), BATCH):
            part = bodies[start : start + BATCH]
            reply = self._client.post(f"{self._path}:batch", content=msgspec.json.encode({"requests": part}))
            assert reply.status_code == 200, reply.text
            for body, row in zip(part, reply.json()["results"], strict=True):
                score = _score(row["answer"])
                found.append(self._one(body) if score is None else score)
        return found


def _score(said: Mapping[str, Any]) -> float | None:
    return said["probability"] if said.get("reason") == "model" else None


@contextmanager
def served(trained: Trained, opened: Opened, folder: Path) -> Iterator[Asked]:
    """``pilotage serve`` over a copy of the installation, its version released and asked by everybody."""
    shutil.copytree(trained.work.home, folder / "home")
    name = trained.definition.name
    with closing(open_workspace(Settings(home=folder / "home"), trained.work.clock)) as work:
        rollout.release(work, trained.definition, trained.version, SYSTEM, "to be asked")
        releasing.set_stage(work, name, Stage.ASSIST, 1.0, SYSTEM, "to be asked")
        (folder / "sitecustomize.py").write_text(FIRST)
        path = os.pathsep.join((str(folder), *sys.path))
        first = body_of(opened.past.requests([0])[0])
        with running(Installation(work, trained.definition), body=first, PYTHONPATH=path) as here:
            address = f"http://127.0.0.1:{here.port}"
            with httpx.Client(base_url=address, headers=here.headers, timeout=60) as client:
                yield Asked(client, name)
