"""An installation that may call receivers on the loopback, and deeds to tell of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.webhooks import flow
from pilotage.webhooks.records import Endpoint
from tests.webhooks.receiving import Receiver, receiving

Deed = Callable[..., int]
Registered = Callable[..., tuple[Endpoint, str]]


@pytest.fixture
def clock() -> FixedClock:
    """Stands still now: receivers refuse what is older than five minutes by their own clock."""
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def work(tmp_path: Path, clock: FixedClock, database_url: str) -> Iterator[Workspace]:
    home, hosts = tmp_path / "home", "127.0.0.1,hooks.example"
    workspace = open_workspace(Settings(home=home, database_url=database_url, egress_hosts=hosts), clock)
    yield workspace
    workspace.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def deliverer() -> Iterator[flow.Deliverer]:
    made = flow.Deliverer(seconds=5, chance=lambda: 0.5)
    yield made
    made.close()


@pytest.fixture
def deed(work: Workspace) -> Deed:
    """Records that a stage was changed, as the rooms do it; the entry's number."""

    def done(use_case: str = "late_arrival", action: str = "stage.changed", **detail: object) -> int:
        with work.database.writing() as connection:
            known = {"stage": ["shadow", "assist"], "revision": 7, "reason": "canary-words-of-a-person", **detail}
            return governing.record(connection, work, SYSTEM, action, use_case, known).number

    return done


@pytest.fixture
def registered(work: Workspace, receiver: Receiver) -> Registered:
    """Registers the receiver, or another address."""

    def done(url: str = "", types: tuple[str, ...] = (), **more: str) -> tuple[Endpoint, str]:
        return flow.register(work, SYSTEM, url or receiver.url, types, **more)

    return done
