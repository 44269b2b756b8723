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

from pilotage.data import flow as data
from pilotage.data.flow import contracting
from pilotage.data.live import LiveColumns
from pilotage.decisions import draining, metrics, rules, store
from pilotage.decisions.records import Answer, Decision
from pilotage.decisions.rules import Opinion
from pilotage.decisions.serving import Question, Serving, open_serving
from pilotage.decisions.spool import Spool
from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed, demand
from pilotage.platform.errors import EvidenceMissing, NotAuthenticated, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_LOOK_SECONDS = 0.25
_RETRY_SECONDS = 5.0
_RECORD_SECONDS = 1.0
_SCORING_THREADS = 2
_READING_THREADS = 16
"""They wait for databases and compute nothing."""
_LIVE_SPAN = timedelta(days=2)
_ADOPT_OR_GRANT = (
    "pilotage sync FILE adopts one; or this key may not ask it: an administrator grants it on the keys page."
)

log = structlog.get_logger()


class Service:
    """Answers decisions. Start it inside the event loop that will ask, and close it there.

    Three threads look for what changed, each at its own pace, so that the switch never waits for slow columns: keys and
    what is live; use-case files and snapshots; and the spool.
    """

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.servings: dict[str, Serving] = {}
        self._keys: dict[bytes, Principal] = {}
        self._loaded: dict[str, tuple[object, ...]] = {}
        self._retry_at: dict[str, float] = {}
        self._swapping = threading.Lock()
        self._spool = Spool(work.home / "spool", work.settings.spool_bytes_max)
        self._pool = concurrent.futures.ThreadPoolExecutor(_SCORING_THREADS, thread_name_prefix="scoring")
        self._reading = concurrent.futures.ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="reading")
        self._slots = asyncio.Semaphore(_SCORING_THREADS * 64)
        self._stopping = threading.Event()
        steps = (self.look_at_switches, self.look_at_sources, self.drain)
        self._threads = [
            threading.Thread(target=self._repeat, args=(step,), name=step.__name__, daemon=True) for step in steps
        ]

    def start(self) -> None:
        """Load everything once, then keep looking for changes."""
        self.look_at_switches()
        self.look_at_sources()
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
        self._reading.shutdown(wait=False, cancel_futures=True)

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
            NotFound: no such use case, or none that the caller may know of.
            NotAllowed: the key may read there, and not decide.
        """
        found = self.servings.get(use_case)
        known = any(allowed(principal, permission, use_case) for permission in (Permission.DECIDE, Permission.READ))
        if found is None or not known:
            raise NotFound(f"There is no use case {use_case} that this key may ask.", _ADOPT_OR_GRANT)
        demand(principal, Permission.DECIDE, use_case)
        return found

    async def answer(self, use_case: str, body: bytes, principal: Principal) -> Answer:
        """Validate, score within the latency budget, decide, record durably, answer."""
        began = time.perf_counter()
        serving = self.serving(use_case, principal)
        now = self.work.clock.now()
        question = await self._question(serving, body, now)
        opinion = await self._opinion(serving, question)
        decision = serving.decide(question, opinion, principal, now)
        for breach in question.breaches:
            metrics.contract_breach(use_case, breach.column)
        answer = await self._recorded(serving, decision)
        metrics.decided(answer, time.perf_counter() - began)
        return answer

    async def _question(self, serving: Serving, body: bytes, now: datetime) -> Question:
        """What is asked, with its columns; those that a database is asked for do not hold up other requests."""
        if not serving.waits:
            return serving.ask(body, now)
        return await asyncio.get_running_loop().run_in_executor(self._reading, serving.ask, body, now)

    async def _opinion(self, serving: Serving, question: Question) -> Opinion:
        """The model's opinion, or that it came too late. An overrunning score keeps its slot until it ends."""
        if serving.scorer is None or question.values is None or question.is_blocked:
            return serving.score(question)
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
        """Wait until the record is durable, but not for ever: a disk that hangs must not hold the caller."""
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[OSError | None] = loop.create_future()

        def done(error: OSError | None) -> None:
            loop.call_soon_threadsafe(_resolve, durable, error)

        patience = loop.call_later(_RECORD_SECONDS, _resolve, durable, TimeoutError("the disk did not answer in time"))
        self._spool.append(content, done)
        try:
            return await durable
        finally:
            patience.cancel()

    def look_at_switches(self) -> None:
        """Follow keys, stages, versions and the switch. Needs neither sources nor their columns."""
        self._keys = governing.all_keys(self.work)
        revisions = releasing.revisions(self.work)
        for name, serving in list(self.servings.items()):
            if revisions.get(name, 0) != serving.live.revision:
                with self._swapping:
                    present = self.servings[name]
                    self._swap(name, open_serving(self.work, present.definition, present.columns, present))

    def look_at_sources(self) -> None:
        """Follow use-case files, contracts and snapshots. What cannot be read is tried again; the last state stays."""
        versions = {**data.snapshot_versions(self.work), **self._contracts()}
        for definition in defining.definitions(self.work):
            own = sorted(each for each in versions.items() if each[0].startswith(f"{definition.name}/"))
            wanted = (definition.fingerprint, *own)
            if self._loaded.get(definition.name) == wanted or time.monotonic() < self._retry_at.get(definition.name, 0):
                continue
            columns = self._columns(definition)
            if columns is None:
                self._retry_at[definition.name] = time.monotonic() + _RETRY_SECONDS
                if definition.name in self.servings:
                    continue
            else:
                self._loaded[definition.name] = wanted
            with self._swapping:
                present = self.servings.get(definition.name)
                self._swap(definition.name, open_serving(self.work, definition, columns, present))

    def _contracts(self) -> dict[str, str]:
        """Contracts in force beside snapshots: a newly adopted one is a change like a new row."""
        found = contracting.contract_fingerprints(self.work)
        return {f"{name}:contract": fingerprint for name, fingerprint in found.items()}

    def drain(self) -> None:
        """Bring what is durable in the spool into the ledger; the database may be down, then it stays where it is."""
        new = draining.drain(self.work, self._spool)
        if new:
            metrics.kept(new)

    def _swap(self, name: str, serving: Serving) -> None:
        """Replace one use case's serving whole: a request sees the old one or the new one."""
        self.servings = {**self.servings, name: serving}

    def _columns(self, definition: Definition) -> LiveColumns | None:
        """The live columns of a use case, None where they cannot be opened; that is counted and logged."""
        try:
            return data.open_live(self.work, definition, self._since(definition))
        except Exception as error:  # noqa: BLE001  whatever is wrong with one use case's data, the others go on
            if isinstance(error, EvidenceMissing) and definition.name not in self._loaded:
                self._await_first_sync(definition, error)
                return None
            metrics.refused(definition.name)
            log.error("columns_not_opened", use_case=definition.name, error=f"{type(error).__name__}: {error}")
            return None

    def _await_first_sync(self, definition: Definition, error: EvidenceMissing) -> None:
        """Adopted, and its sources are being read for the first time: nothing is wrong, and it is said once."""
        if definition.name not in self.servings:
            log.info("columns_await_first_sync", use_case=definition.name, missing=error.message)

    def _since(self, definition: Definition) -> datetime | None:
        """Moments before this are history: an app asks about now, and live columns of all the past would take long."""
        known = [each.known_to for each in data.current_snapshots(self.work, definition).values() if each.known_to]
        return max(known) - _LIVE_SPAN if known else None

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                step()
            except Exception as error:  # noqa: BLE001  the loop outlives any one look; what went wrong is recorded
                log.error("look_failed", step=step.__name__, error=f"{type(error).__name__}: {error}")


def _resolve(future: asyncio.Future[OSError | None], error: OSError | None) -> None:
    if not future.done():
        future.set_result(error)
