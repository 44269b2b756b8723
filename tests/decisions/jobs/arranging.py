"""A small use case whose questions come as files or from its source, with tables that results may be written to."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import httpx
from tests.decisions.asking import ask_again, key_of
from tests.decisions.test_service import FILE

from pilotage.app import Application
from pilotage.data import flow as data
from pilotage.decisions.jobs import flow
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

PATH = "/v1/use-cases/small/jobs"
TARGETS = """batch:
  within: 30 minutes
  targets:
    newest: {database: env:RESULTS, table: newest_run, write: replace}
    every: {database: env:RESULTS, table: every_run, write: upsert}
    forbidden: {database: env:THINGS_AGAIN, table: things, write: upsert}
"""


def arranged(work: Workspace, folder: Path, monkeypatch: Any, things: int = 30) -> Definition:
    """The use case, adopted and synced, with so many rows in its source; one in ten became known a day later."""
    with contextlib.closing(sqlite3.connect(folder / "things.db")) as database:
        database.execute("CREATE TABLE things (thing TEXT PRIMARY KEY, size REAL, at TIMESTAMP, colour TEXT)")
        rows = [
            (f"t{number:03}", number % 10, f"2013-12-0{2 if number % 10 == 9 else 1} 10:00:00", "red")
            for number in range(things)
        ]
        database.executemany("INSERT INTO things VALUES (?, ?, ?, ?)", rows)
        database.commit()
    monkeypatch.setenv("THINGS", f"sqlite:///{folder / 'things.db'}")
    monkeypatch.setenv("THINGS_AGAIN", f"sqlite:///{folder / 'things.db'}")
    monkeypatch.setenv("RESULTS", f"sqlite:///{folder / 'results.db'}")
    adopted = adopt(work, parse_definition(FILE + TARGETS, "small.yaml"), SYSTEM)
    data.sync(work, adopted)
    return adopted


_APPLICATIONS: dict[Path, Application] = {}


def ask(work: Workspace, key: str, method: str, path: str, **sent: Any) -> httpx.Response:
    """One request of an app; all of a test go to the same application."""
    if work.home not in _APPLICATIONS:
        _APPLICATIONS[work.home] = Application(work)
    return ask_again(_APPLICATIONS[work.home], key, method, path, **sent)


def close_all() -> None:
    """End the applications that were asked."""
    while _APPLICATIONS:
        _APPLICATIONS.popitem()[1].service.close()


def work_on(work: Workspace) -> None:
    """Do all jobs that wait."""
    while flow.run_next(work, lambda: False, pause_seconds=0.0):
        pass


__all__ = ["PATH", "arranged", "ask", "close_all", "key_of", "work_on"]
