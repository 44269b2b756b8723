"""Builds everything from settings: the one file that knows everything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cached_property

import structlog
from litestar import Litestar

from pilotage.data import flow as data
from pilotage.decisions import metrics, parity
from pilotage.decisions.answering.following import Repeating
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.troubles import Troubles
from pilotage.decisions.durable.completeness import fold_old
from pilotage.decisions.http.batch_route import BatchRoute, batch_of
from pilotage.decisions.http.exchange import Receive, Scope, Send
from pilotage.decisions.http.once import Once
from pilotage.decisions.http.route import FULL, DecisionRoute, use_case_of
from pilotage.decisions.jobs import flow as batch_jobs
from pilotage.decisions.jobs.flow import JobWorker
from pilotage.govern import flow as governing
from pilotage.monitor.incidents import overdue
from pilotage.monitor.incidents.watching import Watch
from pilotage.outcomes import flow as outcomes
from pilotage.outcomes import quarantine, reporting, seeding
from pilotage.platform import replies, tracing
from pilotage.platform.errors import PilotageError
from pilotage.platform.jobs import Job, Runner
from pilotage.platform.settings import read_settings
from pilotage.platform.workspace import Workspace, opened_within
from pilotage.releases import flow as releasing
from pilotage.review import flow as reviewing
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console
from pilotage.web.lanes import open_lanes
from pilotage.web.observing import Observing
from pilotage.web.plain import Head
from pilotage.web.policies import DeclaredRoute, declared_routes
from pilotage.web.shedding import Refusing, Sheds
from pilotage.webhooks import flow as webhooks

MATERIALISE_LOOK_SECONDS = 30.0  # how often it is looked whether tables of columns are due
SYNC_LOOK_SECONDS = 30.0  # how often it is looked whether a source is due: some have a `refresh` of their own
RESTS = 20.0
"""A job whose looks grow with what waits or is known rests so many times as long as it took: a twentieth of a core."""
DATABASE_SECONDS = 30.0
"""How long a worker that starts waits for the control database; then the supervisor starts another, which does."""
LEAVE_SECONDS = 20.0
"""Beyond the drain delay, less than after which the supervisor kills: what runs in the background ends in them."""

log = structlog.get_logger()


class Application(Sheds):
    """One ASGI application: the decision route in front, the console and the rest of HTTP behind it."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.service = Service(work)
        self._once = Once(work)
        self._decisions = DecisionRoute(self.service, self._once)
        self._batches = BatchRoute(self.service, self._once)
        self._observing = Observing(self._answer, work.settings)
        self._leave_by: float | None = None
        self._refusing: Refusing | None = None

    @cached_property
    def _console(self) -> Litestar:
        """Built when it is first needed: decisions are answered in front of it."""
        return build_console(self.work, lifespan=[self._running], service=self.service)

    @cached_property
    def policies(self) -> list[DeclaredRoute]:
        """Every route with who may call it.

        Raises:
            UndeclaredPolicy: a route does not say it.
        """
        return declared_routes(self._console, (self._decisions, self._batches))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._observing(scope, receive, send)
        else:
            await self._console(scope, receive, send)  # type: ignore[arg-type]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> str:
        """Answer a request; the route, where it is one of those in front of the console."""
        use_case = use_case_of(scope)
        if use_case is not None:
            await self._decisions(use_case, scope, receive, send)
            return self._decisions.path
        if (use_case := batch_of(scope)) is not None:
            await self._batches(use_case, scope, receive, send)
            return self._batches.path
        await self._console(scope, receive, send)  # type: ignore[arg-type]
        return ""

    def refusal(self, head: Head) -> bytes | None:
        """The whole reply to a question for which there is no place; it is counted, and the access log tells of it.

        One with which a trace begins is refused as a request, and so is one that comes to who leaves.
        """
        if self._refusing is None:
            if self._decisions.has_place() or self.service.phase != "running" or tracing.is_on():
                self._decisions.comes()
                return None
            refusing = Refusing(FULL)
            asyncio.get_running_loop().call_soon(self._tell_refused, refusing)
            self._refusing = refusing
        return self._refusing.reply(head)

    def _tell_refused(self, refused: Refusing) -> None:
        """The turn is over."""
        self._refusing = None
        metrics.turned_away(refused.count)
        route = self._decisions.method, self._decisions.path
        self._observing.refused(refused.first, refused.count, *route, refused.error.status)

    def comes(self) -> None:
        """Count what may be a question before it has its place."""
        self._decisions.comes()

    def drain(self) -> None:
        """Say that no new questions should come. Those that come are still answered."""
        self.service.phase = "draining"
        self._leave_by = time.monotonic() + self.work.settings.drain_seconds + LEAVE_SECONDS

    def _seconds_to_leave(self) -> float:
        """How long work in the background may go on, where the ends of connections took their time before it."""
        return LEAVE_SECONDS if self._leave_by is None else min(LEAVE_SECONDS, self._leave_by - time.monotonic())

    @asynccontextmanager
    async def _running(self, console: Litestar) -> AsyncIterator[None]:
        open_lanes()
        runner = Runner(self.work, recurring(self.work))
        await asyncio.to_thread(self.service.start)
        await asyncio.to_thread(runner.start)
        jobs = JobWorker(self.work)
        jobs.start()
        watching = Repeating((Watch(self.work, Troubles(self.service)).look,))
        watching.start()
        try:
            yield
        finally:
            await asyncio.to_thread(watching.stop)
            left = self._seconds_to_leave()
            await asyncio.gather(asyncio.to_thread(jobs.close, left), asyncio.to_thread(runner.close, left))
            await asyncio.to_thread(self._once.close)
            await asyncio.to_thread(self.service.close)
            await asyncio.to_thread(self._observing.close)
            await asyncio.to_thread(tracing.close)


def recurring(work: Workspace) -> tuple[Job, ...]:
    """What every installation does again and again."""
    return (
        Job("sync", timedelta(seconds=min(work.settings.sync_seconds, SYNC_LOOK_SECONDS)), sync_and_join),
        Job("materialise", timedelta(seconds=MATERIALISE_LOOK_SECONDS), data.materialise_due),
        Job("review", timedelta(seconds=1), reviewing.take_in),
        Job("late cases", timedelta(seconds=30), overdue.tend),
        Job("known cases", timedelta(minutes=1), seeding.seed, RESTS),
        Job("parity", timedelta(days=1), parity.rejoin_all),
        Job("checkpoint", timedelta(seconds=30), governing.checkpoint),
        Job("webhooks", timedelta(seconds=1), webhooks.Deliverer().run),
        Job("replies", timedelta(hours=1), replies.forget_old),
        Job("spool accounts", timedelta(days=1), fold_old),
        Job("old batch jobs", timedelta(hours=1), batch_jobs.forget_old),
        Job("told outcomes", timedelta(seconds=2), reporting.settle, RESTS),
        Job("quarantined outcomes", timedelta(hours=1), quarantine.forget_old),
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
        for step in (_sync_due, outcomes.pull_due):
            try:
                step(work, defining.find_adopted(work, name))
            except PilotageError as failure:
                failures.append(f"{name}: {failure.message}")
    if failures:
        raise PilotageError(" ".join(dict.fromkeys(failures)), "Repair what is named; it is tried again.")


def _sync_due(work: Workspace, definition: Definition) -> None:
    """Also the sources that only an earlier file names, as long as answers are given by that one."""
    data.sync_due(work, definition)
    answering = releasing.answering(work, definition)
    if answering is not definition:
        data.sync_due(work, answering, but=definition.use_case.sources)


def create() -> Application:
    """The application of the installation that the environment names: what the server starts.

    Raises:
        DatabaseUnavailable: the control database did not answer for half a minute.
    """
    tracing.configure()
    work = opened_within(read_settings(), DATABASE_SECONDS, lambda said: log.warning("database_awaited", told=said))
    application = Application(work)
    _ = application.policies  # before the first request, and a route without one is no application
    return application
