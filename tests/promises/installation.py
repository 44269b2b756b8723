"""An installation whose model answers, served by real processes whose model and disk can be made to fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pysqlite3
import pytest

from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage, Version
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition
from tests.decisions.test_service import FILE as SMALL
from tests.living import NAME
from tests.releases.distinguishable import version_saying
from tests.web.serving import wait_until

PATH = f"/v1/use-cases/{NAME}/decisions"
BODY = {"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}
FAULTY = Path(__file__).parent / "faulty"
START_SECONDS = 90
LOOK_SECONDS = 0.005
"""How often the served processes look at what is to break: for each score it would cost as much as the score."""
ROWS = 40

SOURCE = """
  sightings: {database: env:SIGHTINGS, table: sightings, key: [number], event_time: at, known_at: at}
decision:"""
LIVE_COLUMN = "\n  seen: {latest: sightings, by: thing, take: weight, live: source}\nrule:"


def use_case(latency_ms: int, *, reads_live: bool) -> str:
    """The text of the use-case file; with a column that is read from its source for each answer, or without."""
    text = SMALL.replace("use_case: small", f"use_case: {NAME}").replace("latency_ms: 50", f"latency_ms: {latency_ms}")
    if reads_live:
        inputs = "inputs: {size: request, colour: request}\nrule:"
        assert inputs in text
        text = text.replace("\ndecision:", SOURCE, 1)
        text = text.replace(inputs, "inputs:\n  size: request\n  colour: request" + LIVE_COLUMN)
    return text


class Installation:
    """A use case of an installation, the keys to ask it, and faults for the processes that serve it."""

    def __init__(self, work: Workspace, definition: Definition) -> None:
        self.work = work
        self.definition = definition
        self.faults = work.home.parent / "faults.json"
        self.key = self.new_key("app")
        self.break_with()

    def new_key(self, name: str) -> str:
        return governing.make_key(self.work, SYSTEM, name, (Grant(Role.APP, NAME),))

    def break_with(self, **faults: str | float) -> None:
        """From now on the model and the disk of the served processes do this; without arguments they work.

        Returns when they have had the time to look.
        """
        new = self.faults.with_suffix(".new")
        new.write_text(json.dumps(faults))
        new.replace(self.faults)
        time.sleep(2 * LOOK_SECONDS)

    def environment(self) -> dict[str, str]:
        """For a served process of this installation."""
        here = {name: value for name, value in os.environ.items() if not name.startswith("PILOTAGE_")}
        here |= {"PILOTAGE_HOME": str(self.work.home), "PILOTAGE_LOG_LEVEL": "CRITICAL"}
        here |= {"FAULTS": str(self.faults), "FAULTS_LOOK_SECONDS": str(LOOK_SECONDS)}
        if self.work.settings.database_url:
            here["PILOTAGE_DATABASE_URL"] = self.work.settings.database_url
        return {**here, "PYTHONPATH": os.pathsep.join((str(FAULTY), *sys.path))}


class Small(Installation):
    """One with the small use case, a released version in assist, and the tables that are read."""

    def __init__(self, work: Workspace, definition: Definition, tables: Path) -> None:
        super().__init__(work, definition)
        self.tables = tables
        self.version: Version = version_saying(work, definition, 1)
        releasing.release(work, definition, self.version, SYSTEM, "first")
        releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")


def installed(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, latency_ms: int = 5_000, *, reads_live: bool = False
) -> Small:
    """A fresh installation with its tables read, and a version that answers all."""
    tables = work.home.parent / "tables.db"
    with pysqlite3.connect(tables) as connection:
        for name, columns in (("things", "thing, at, size, colour"), ("sightings", "number, thing, at, weight")):
            connection.execute(f"CREATE TABLE {name} ({_typed(columns)})")
        at = "2013-12-05T18:00:00Z"
        things = [(f"t{number}", at, number % 9, "red") for number in range(ROWS)]
        connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?)", things)
        seen = [(number, f"t{number}", at, number / 2) for number in range(ROWS)]
        connection.executemany("INSERT INTO sightings VALUES (?, ?, ?, ?)", seen)
    monkeypatch.setenv("THINGS", f"sqlite:///{tables}")
    monkeypatch.setenv("SIGHTINGS", f"sqlite:///{tables}")
    definition = adopt(work, parse_definition(use_case(latency_ms, reads_live=reads_live), "small.yaml"), SYSTEM)
    data.sync(work, definition)
    return Small(work, definition, tables)


def _typed(columns: str) -> str:
    kinds = {"at": "DATETIME", "size": "REAL", "weight": "REAL", "number": "INTEGER"}
    return ", ".join(f"{name} {kinds.get(name, 'TEXT')}" for name in columns.split(", "))


class Running:
    """A served installation: its address, and a way to ask it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, key: str, body: Mapping[str, Any]) -> None:
        self.process = process
        self.port = port
        self.headers = {"Authorization": f"Bearer {key}"}
        self._body = body

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def answers(self, wanted: Mapping[str, object]) -> bool:
        """Whether an answer says this."""
        assert self.process.poll() is None, "the server ended"
        try:
            reply = httpx.post(
                f"http://127.0.0.1:{self.port}{PATH}",
                json=msgspec.to_builtins(self._body),
                headers=self.headers,
                timeout=20,
            )
        except httpx.HTTPError:
            return False
        return reply.status_code == 200 and wanted.items() <= reply.json().items()


@contextmanager
def running(
    here: Installation, workers: int = 1, wanted: str = "model", body: Mapping[str, Any] = BODY, **settings: str
) -> Iterator[Running]:
    """``pilotage serve`` over the installation, once it answers this body as wanted; killed at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "pilotage", "serve", "--port", str(port), "--workers", str(workers)]
    with (here.work.home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            command, env={**here.environment(), **settings}, stdout=log, stderr=log, start_new_session=True
        )
    served = Running(process, port, here.key, body)
    try:
        wait_until(lambda: served.answers({"reason": wanted}), START_SECONDS)
        yield served
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
