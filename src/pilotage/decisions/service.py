"""The running service: who may ask, what answers, where it is recorded. One per worker process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from pilotage.data import flow as data
from pilotage.data.live import LiveColumns
from pilotage.decisions import draining, metrics, rules, store
from pilotage.decisions.records import Answer, Decision
from pilotage.decisions.rules import Opinion
from pilotage.decisions.serving import Question, Serving, open_serving
from pilotage.decisions.spool import Spool
from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import demand
from pilotage.platform.errors import NotAuthenticated, NotFound, PilotageError
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_LOOK_SECONDS = 0.25
_SCORING_THREADS = 2
_LIVE_SPAN = timedelta(days=2)

log = structlog.get_logger()


class Service:
    """Answers decisions. Start it inside the event loop that will ask, and close it there."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.servings: dict[str, Serving] = {}
        self._keys: dict[bytes, Principal] = {}
        self._seen: tuple[object, ...] = ()
        self._columns: dict[str, tuple[object, LiveColumns]] = {}
        self._spool = Spool(work.home / "spool", work.settings.spool_bytes_max)
        self._pool = concurrent.futures.ThreadPoolExecutor(_SCORING_THREADS, thread_name_prefix="scoring")
        self._slots = asyncio.Semaphore(_SCORING_THREADS * 64)
        self._stopping = threading.Event()
        self._refreshing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._repeat, args=(self.refresh, _LOOK_SECONDS), name="refresh", daemon=True),
            threading.Thread(target=self._repeat, args=(self.drain, _LOOK_SECONDS / 2), name="drain", daemon=True),
        ]

    def start(self) -> None:
        """Load everything once, then keep looking for changes."""
        self.refresh()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop answering, make what waits durable and bring it into the ledger."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join(timeout=5)
        self._spool.close()
        self.drain()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def authenticate(self, key: str) -> Principal:
        """The app behind an API key.

        Raises:
            NotAuthenticated: no such key.
        """
        principal = self._keys.get(hashlib.sha256(key.encode()).digest())
        if principal is None:
            raise NotAuthenticated("The API key is missing or not known.", "Send it as Authorization: Bearer pk_….")
        return principal

    def serving(self, use_case: str, principal: Principal) -> Serving:
        """What answers for a use case, if the caller may ask it.

        Raises:
            NotFound: no such use case. NotAllowed: the key has no permission to decide there.
        """
        found = self.servings.get(use_case)
        if found is None:
            raise NotFound(f"There is no use case {use_case}.", "pilotage check FILE adopts one.")
        demand(principal, Permission.DECIDE, use_case)
        return found

    async def answer(self, use_case: str, body: bytes, principal: Principal) -> Answer:
        """Validate, score within the latency budget, decide, record durably, answer."""
        began = time.perf_counter()
        serving = self.serving(use_case, principal)
        now = self.work.clock.now()
        question = serving.ask(body, now)
        opinion = await self._opinion(serving, question)
        decision = serving.decide(question, opinion, principal, now)
        answer = await self._recorded(serving, decision)
        metrics.decided(answer, time.perf_counter() - began)
        return answer

    async def _opinion(self, serving: Serving, question: Question) -> Opinion:
        """The model's opinion, or that it came too late. An overrunning score keeps its slot until it ends."""
        if serving.scorer is None or question.values is None:
            return Opinion(None, "missing_columns")
        if self._slots.locked():
            return Opinion(None, "too_slow")
        await self._slots.acquire()
        future = asyncio.get_running_loop().run_in_executor(self._pool, serving.score, question)
        future.add_done_callback(lambda _: self._slots.release())
        budget = serving.definition.use_case.brief.latency_ms / 1000
        try:
            return await asyncio.wait_for(asyncio.shield(future), budget)
        except TimeoutError:
            return Opinion(None, "too_slow")

    async def _recorded(self, serving: Serving, decision: Decision) -> Answer:
        """Make the decision durable, then answer. What cannot be recorded may not act as the model."""
        metrics.attempted(decision.use_case)
        error = await self._append(store.encode(decision))
        if error is None:
            return rules.answer_of(decision)
        metrics.lost(decision.use_case)
        log.error("decision_not_recorded", use_case=decision.use_case, error=str(error))
        if serving.live.stage is Stage.AUTOMATE:
            decision = serving.without_model(decision, "not_recorded")
        return msgspec.structs.replace(rules.answer_of(decision), flags=(*decision.flags, "not_recorded"))

    async def _append(self, content: bytes) -> OSError | None:
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[OSError | None] = loop.create_future()

        def done(error: OSError | None) -> None:
            loop.call_soon_threadsafe(_resolve, durable, error)

        self._spool.append(content, done)
        return await durable

    def refresh(self) -> None:
        """Reload what changed: keys, definitions, what is live, snapshots. A request sees the old or the new."""
        with self._refreshing:
            self._keys = governing.all_keys(self.work)
            seen = self._state()
            if seen == self._seen:
                return
            servings = {}
            for definition in defining.definitions(self.work):
                try:
                    servings[definition.name] = open_serving(self.work, definition, self._live_columns(definition))
                except PilotageError as error:
                    metrics.refused(definition.name)
                    log.error("use_case_not_reloaded", use_case=definition.name, error=error.message)
                    if definition.name in self.servings:
                        servings[definition.name] = self.servings[definition.name]
            self.servings, self._seen = servings, seen

    def drain(self) -> None:
        """Bring what is durable in the spool into the ledger; the database may be down, then it stays where it is."""
        new = draining.drain(self.work, self._spool)
        if new:
            metrics.kept(new)

    def _state(self) -> tuple[object, ...]:
        definitions = tuple((each.name, each.fingerprint) for each in defining.definitions(self.work))
        revisions = tuple(sorted(releasing.revisions(self.work).items()))
        return definitions, revisions, tuple(sorted(data.snapshot_versions(self.work).items()))

    def _live_columns(self, definition: Definition) -> LiveColumns:
        versions = (definition.fingerprint, tuple(sorted(data.snapshot_versions(self.work, definition.name).items())))
        known = self._columns.get(definition.name)
        if known is None or known[0] != versions:
            known = (versions, data.open_live(self.work, definition, self._since(definition)))
            self._columns[definition.name] = known
        return known[1]

    def _since(self, definition: Definition) -> datetime | None:
        """Moments before this are history: an app asks about now, and live columns of all the past would take long."""
        known = [each.known_to for each in data.current_snapshots(self.work, definition).values() if each.known_to]
        return max(known) - _LIVE_SPAN if known else None

    def _repeat(self, act: Callable[[], None], seconds: float) -> None:
        while not self._stopping.wait(seconds):
            try:
                act()
            except (SQLAlchemyError, OSError, PilotageError) as error:
                log.error("background_step_failed", step=act.__name__, error=type(error).__name__)


def _resolve(future: asyncio.Future[OSError | None], error: OSError | None) -> None:
    if not future.done():
        future.set_result(error)
