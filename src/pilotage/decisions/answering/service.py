"""The running service: who may ask, what answers, where it is recorded. One per worker process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import gc
import hashlib
import time
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from pilotage.data.contracts.guarding import Breach
from pilotage.decisions import metrics, rules, store
from pilotage.decisions.answering.deadlines import Deadline, deadline
from pilotage.decisions.answering.following import Following, Repeating
from pilotage.decisions.answering.scoring import Scoring
from pilotage.decisions.answering.serving import Question, Serving
from pilotage.decisions.durable import draining
from pilotage.decisions.durable.completeness import Bookkeeper, Completeness
from pilotage.decisions.durable.recording import Recording
from pilotage.decisions.records import Answer, Decision
from pilotage.govern.flow.limits import Limits
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed, demand
from pilotage.platform import processes, requests, tracing
from pilotage.platform.errors import NotAuthenticated, NotFound, in_short
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage

_READING_THREADS = 160
"""They wait for databases and compute nothing: as many as there are questions at once, so that none waits for one."""

Phase = Literal["starting", "running", "draining"]
_ADOPT_OR_GRANT = (
    "pilotage sync FILE adopts one; or this key may not ask it: an administrator grants it on the keys page."
)

_COLLECT_AFTER = 10_000
"""New objects until garbage is looked for. A request in flight holds some hundreds, none of them in a cycle."""

log = structlog.get_logger()


class Pending(msgspec.Struct, frozen=True):
    """A decision that is not recorded yet, and when its answer is due. ``began`` is by ``time.perf_counter``."""

    serving: Serving
    decision: Decision
    due: Deadline
    began: float
    breaches: tuple[Breach, ...] = ()

    def named(self, identifier: str) -> Pending:
        """The same under the identifier that a repeated request must get again."""
        return msgspec.structs.replace(self, decision=msgspec.structs.replace(self.decision, id=identifier))

    def without_key(self) -> Pending:
        """The same, whose idempotency key could not be kept: sent again, it may be decided anew."""
        flags = (*self.decision.flags, rules.KEY_NOT_KEPT)
        return msgspec.structs.replace(self, decision=msgspec.structs.replace(self.decision, flags=flags))


class Service:
    """Answers decisions. Start it inside the event loop that will ask, and close it there."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.phase: Phase = "starting"
        self.following = Following(work)
        self.scoring = Scoring()
        self.limits = Limits(work.settings)
        self._recording = Recording(work.settings.spool_folder, work.settings.spool_bytes_max)
        self._reading = concurrent.futures.ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="reading")
        self._bookkeeper = Bookkeeper(work, self._recording.spool)
        self._drained_at = time.monotonic()
        following = self.following
        switches = (following.look_at_host_switch, following.look_at_releases, following.look_at_versions)
        behind = (following.look_at_sources, self.drain, self._bookkeeper.look)
        self._repeating = Repeating(switches), Repeating(behind, processes.BEHIND)

    def start(self) -> None:
        """Load everything once, then keep looking for changes."""
        self.following.look_at_switches()
        self.following.look_at_sources()
        gc.freeze()  # what was loaded stays: the garbage collector need not walk through it between answers
        gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
        for each in self._repeating:
            each.start()
        self.phase = "running"

    def close(self) -> None:
        """Stop answering, make what waits durable and bring it into the ledger."""
        self.phase = "draining"
        for each in self._repeating:
            each.stop()
        self._recording.close()
        try:
            self.drain()
            self._bookkeeper.tell()
        except SQLAlchemyError as error:  # the next process on this folder brings it in
            log.error("left_in_the_spool", error=type(error).__name__)
        self.scoring.close()
        self._reading.shutdown(wait=False, cancel_futures=True)

    @property
    def refusal(self) -> str:
        """Why no decision can be recorded now; empty where it can."""
        return self._recording.spool.refusal

    @property
    def undrained_seconds(self) -> float:
        """How long ago the spool was last emptied into the ledger."""
        return time.monotonic() - self._drained_at

    @property
    def account(self) -> Completeness | None:
        """What became of every answer, as it was last counted; None where nobody has counted yet."""
        return self._bookkeeper.found

    @property
    def spool_folder(self) -> Path:
        """Where this process makes decisions durable."""
        return self._recording.spool.folder

    def authenticate(self, key: str) -> Principal:
        """The app behind an API key.

        Raises:
            NotAuthenticated: no such key.
        """
        principal = self.following.keys.get(hashlib.sha256(key.encode()).digest())
        if principal is None:
            raise NotAuthenticated("The API key is missing or not known.", "Send it as Authorization: Bearer pk_….")
        if (request := requests.current.get()) is not None:
            request.caller = principal.name
        return principal

    def serving(self, use_case: str, principal: Principal) -> Serving:
        """What answers for a use case, if the caller may ask it.

        Raises:
            NotFound: no such use case, or none that the caller may know of.
            NotAllowed: the key may read there, and not decide.
        """
        found = self.following.servings.get(use_case)
        if found is not None and allowed(principal, Permission.DECIDE, use_case):
            return found
        if found is None or not allowed(principal, Permission.READ, use_case):
            raise NotFound(f"There is no use case {use_case} that this key may ask.", _ADOPT_OR_GRANT)
        demand(principal, Permission.DECIDE, use_case)
        return found

    async def answer(
        self,
        use_case: str,
        body: bytes,
        principal: Principal,
        began: float | None = None,
        patience_ms: float | None = None,
        *,
        serving: Serving | None = None,
    ) -> Answer:
        """Decide, and record: see :meth:`decide` and :meth:`record`."""
        return await self.record(await self.decide(use_case, body, principal, began, patience_ms, serving=serving))

    async def decide(
        self,
        use_case: str,
        body: bytes,
        principal: Principal,
        began: float | None = None,
        patience_ms: float | None = None,
        *,
        serving: Serving | None = None,
    ) -> Pending:
        """Validate, score within the latency budget, decide. Nobody may be told before it is recorded.

        ``began`` is when the request came (``time.perf_counter``), ``patience_ms`` how long its caller will wait.
        ``serving`` is what answers, where the caller has looked already.
        """
        began = time.perf_counter() if began is None else began
        serving = serving or self.serving(use_case, principal)
        due = deadline(began, serving.definition.use_case.brief.latency_ms, patience_ms)
        now = self.work.clock.now()
        with tracing.span("columns"):
            question = await self._question(serving, body, now, due)
        decision = await self._decided(serving, question, principal, now, due)
        return Pending(serving, decision, due, began, question.breaches)

    async def record(self, pending: Pending) -> Answer:
        """Make a decision durable, and say what its caller is answered."""
        decision = pending.decision
        for breach in pending.breaches:
            metrics.contract_breach(decision.use_case, breach.column)
        if decision.flags:
            metrics.flagged(decision.use_case, decision.flags)
        _about(decision)
        with tracing.span("record"):
            answer = await self._recorded(pending.serving, decision, pending.due)
        if tracing.is_on():
            _say(decision, answer)
        metrics.decided(answer, time.perf_counter() - pending.began)
        return answer

    async def _question(self, serving: Serving, body: bytes, now: datetime, due: Deadline) -> Question:
        """What is asked, with its columns; those that a database is asked for do not hold up other requests."""
        if not serving.waits:
            return serving.ask(body, now)
        loop, within = asyncio.get_running_loop(), contextvars.copy_context()
        return await loop.run_in_executor(self._reading, within.run, _ask, serving, body, now, due)

    async def _decided(
        self, serving: Serving, question: Question, principal: Principal, now: datetime, due: Deadline
    ) -> Decision:
        with tracing.span("score"):
            opinion = await self.scoring.opinion(serving, question, due)
        try:
            return serving.decide(question, opinion, principal, now)
        except Exception as error:  # noqa: BLE001  a door: whatever a rule raises, it is said that nothing was decided
            log.error("fallback_failed", use_case=serving.definition.name, error=in_short(error))
            return serving.undecided(question, principal, now)

    async def _recorded(self, serving: Serving, decision: Decision, due: Deadline) -> Answer:
        """Make the decision durable, then answer. What cannot be recorded may not act as the model."""
        metrics.attempted(decision.use_case)
        stage = serving.live.stage
        error = await self._recording.keep(store.encode(decision), due.left(), must_settle=stage in rules.MODEL_ANSWERS)
        if error is None:
            return rules.answer_of(decision)
        metrics.lost(decision.use_case)
        log.error("decision_not_recorded", use_case=decision.use_case, error=str(error))
        if stage is Stage.AUTOMATE:
            decision = serving.without_model(decision, "not_recorded")
        return msgspec.structs.replace(rules.answer_of(decision), flags=(*decision.flags, "not_recorded"))

    def drain(self) -> None:
        """Bring what is durable in the spool into the ledger; the database may be down, then it stays where it is."""
        new = draining.drain(self.work, self._recording.spool)
        self._drained_at = time.monotonic()
        if new:
            metrics.kept(new)


def _ask(serving: Serving, body: bytes, now: datetime, due: Deadline) -> Question:
    """In a thread, whose turn may come late: what is left is what is left then."""
    return serving.ask(body, now, due.left_to_score())


def _about(decision: Decision) -> None:
    """Let every line that the log gets from here on name the decision."""
    if (request := requests.current.get()) is not None:
        request.use_case, request.decision = decision.use_case, decision.id


def _say(decision: Decision, answer: Answer) -> None:
    """What a trace says of an answer: never what was asked, or about whom."""
    tracing.say(
        pilotage__use_case=decision.use_case,
        pilotage__decision=decision.id,
        pilotage__version=decision.version,
        pilotage__stage=decision.stage,
        pilotage__produced_by=answer.produced_by,
        pilotage__reason=answer.reason,
    )
