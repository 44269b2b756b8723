"""What runs in the background has one time to end in, all of it together, before the supervisor kills."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from pilotage import app
from pilotage.app import Application
from pilotage.decisions.jobs import flow as batch_jobs
from pilotage.platform.jobs import Job
from pilotage.platform.workspace import Workspace
from pilotage.web.supervising import STOP_SECONDS
from tests.decisions.jobs.arranging import key_of


def test_jobs_that_do_not_end_share_one_time(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert key_of(work)
    let_go, begun = threading.Event(), threading.Barrier(3)

    def stuck(*given: object) -> bool:
        begun.wait(10)
        let_go.wait(20)
        return False

    monkeypatch.setattr(app, "LEAVE_SECONDS", 1.5)
    monkeypatch.setattr(app, "recurring", lambda work: (Job("stuck", timedelta(days=1), stuck),))
    monkeypatch.setattr(batch_jobs, "run_next", stuck)
    application = Application(work)

    async def live() -> float:
        async with application._running(application._console):
            await asyncio.to_thread(begun.wait, 10)
            began = time.monotonic()
        return time.monotonic() - began

    try:
        assert 1.5 <= asyncio.run(live()) < 2.9
    finally:
        let_go.set()


def test_the_time_is_over_before_the_supervisor_kills(work: Workspace) -> None:
    application = Application(work)
    assert application._seconds_to_leave() == app.LEAVE_SECONDS < STOP_SECONDS
    application.drain()
    left = application._seconds_to_leave()
    assert left <= app.LEAVE_SECONDS
    began = time.monotonic()
    assert application._leave_by is not None
    assert application._leave_by - began < work.settings.drain_seconds + STOP_SECONDS
