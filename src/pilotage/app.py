"""Builds everything from settings: the one file that knows everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from litestar import Litestar

from pilotage.data import flow as data
from pilotage.decisions import parity
from pilotage.decisions.batch_route import BatchRoute, batch_of
from pilotage.decisions.exchange import Receive, Scope, Send
from pilotage.decisions.jobs import flow as batch_jobs
from pilotage.decisions.jobs.flow import JobWorker
from pilotage.decisions.once import Once
from pilotage.decisions.route import DecisionRoute, use_case_of
from pilotage.decisions.service import Service
from pilotage.govern import flow as governing
from pilotage.outcomes import flow as outcomes
from pilotage.outcomes import reporting
from pilotage.platform import replies
from pilotage.platform.errors import PilotageError
from pilotage.platform.jobs import Job, Runner
from pilotage.platform.settings import read_settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.review import flow as reviewing
from pilotage.usecase import flow as defining
from pilotage.web.console import build_console
from pilotage.webhooks import flow as webhooks

MATERIALISE_LOOK_SECONDS = 30.0  # how often it is looked whether tables of columns are due
SYNC_LOOK_SECONDS = 30.0  # how often it is looked whether a source is due: some have a `refresh` of their own


class Application:
    """One ASGI application: the decision route in front, the console and the rest of HTTP behind it."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.service = Service(work)
        self._once = Once(work)
        self._decisions = DecisionRoute(self.service, self._once)
        self._batches = BatchRoute(self.service, self._once)
        self._console = build_console(work, lifespan=[self._running], service=self.service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        use_case = use_case_of(scope)
        if use_case is not None:
            await self._decisions(use_case, scope, receive, send)
        elif (use_case := batch_of(scope)) is not None:
            await self._batches(use_case, scope, receive, send)
        else:
            await self._console(scope, receive, send)  # type: ignore[arg-type]

    def drain(self) -> None:
        """Say that no new questions should come. Those that come are still answered."""
        self.service.phase = "draining"

    @asynccontextmanager
    async def _running(self, console: Litestar) -> AsyncIterator[None]:
        runner = Runner(self.work, recurring(self.work))
        await asyncio.to_thread(self.service.start)
        await asyncio.to_thread(runner.start)
        jobs = JobWorker(self.work)
        jobs.start()
        try:
            yield
        finally:
            await asyncio.to_thread(jobs.close)
            await asyncio.to_thread(runner.close)
            await asyncio.to_thread(self._once.close)
            await asyncio.to_thread(self.service.close)


def recurring(work: Workspace) -> tuple[Job, ...]:
    """What every installation does again and again."""
    return (
        Job("sync", timedelta(seconds=min(work.settings.sync_seconds, SYNC_LOOK_SECONDS)), sync_and_join),
        Job("materialise", timedelta(seconds=MATERIALISE_LOOK_SECONDS), data.materialise_due),
        Job("review", timedelta(seconds=1), reviewing.take_in),
        Job("parity", timedelta(days=1), parity.rejoin_all),
        Job("checkpoint", timedelta(seconds=30), governing.checkpoint),
        Job("webhooks", timedelta(seconds=1), webhooks.Deliverer().run),
        Job("replies", timedelta(hours=1), replies.forget_old),
        Job("old batch jobs", timedelta(hours=1), batch_jobs.forget_old),
        Job("told outcomes", timedelta(seconds=2), reporting.settle),
        Job("webhook log", timedelta(days=1), webhooks.forget_old),
    )


def sync_and_join(work: Workspace) -> None:
    """Read the sources of every use case whose time has come and join the outcomes that became known.

    What fails for one use case does not keep the others from it, and outcomes are joined also where a source is down.

    Raises:
        PilotageError: something failed; the message names each use case and what was wrong.
    """
    failures: list[str] = []
    for name in defining.names(work):
        for step in (data.sync_due, outcomes.pull):
            try:
                step(work, defining.find_adopted(work, name))
            except PilotageError as failure:
                failures.append(f"{name}: {failure.message}")
    if failures:
        raise PilotageError(" ".join(dict.fromkeys(failures)), "Repair what is named; it is tried again.")


def create() -> Application:
    """The application of the installation that the environment names: what the server starts."""
    return Application(open_workspace(read_settings()))
