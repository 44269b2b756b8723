"""Delivers events: at least once, in no order, many endpoints at a time, each try in the log.

A delivery is leased before it is sent. Who dies after sending and before noting it leaves the lease to run out, and the
event is sent again under the same identifier.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

import msgspec
import sqlalchemy as sa
import structlog

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.egress import Egress, Resolve, resolve
from pilotage.platform.errors import PilotageError
from pilotage.platform.identifiers import new_id
from pilotage.platform.logs import without_secrets
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import store
from pilotage.webhooks.flow import sealing
from pilotage.webhooks.flow.emitting import take_in
from pilotage.webhooks.records import Attempt, Claim, Waiting
from pilotage.webhooks.rules import addresses, lanes, retrying, signing
from pilotage.webhooks.rules.retrying import Meaning

ANSWER_SECONDS = 15.0
LEASE = timedelta(minutes=2)
"""Longer than any try: while it holds, nobody else sends the same delivery."""
_LANE_SECONDS = 5.0
_ANSWER_BYTES_MAX = 4_096
_ANSWER_LETTERS_MAX = 1_000
_RANDOM = secrets.SystemRandom()

log = structlog.get_logger()


class Answered(msgspec.Struct, frozen=True):
    """What came of one try; ``status`` is None where nothing came back. ``latency_ms`` is in milliseconds."""

    status: int | None
    headers: Mapping[str, str]
    answer: str
    error: str
    latency_ms: float


class Deliverer:
    """Sends what is due. ``run`` begins lanes and returns; an endpoint that hangs keeps only its own lane."""

    def __init__(
        self,
        seconds: float = ANSWER_SECONDS,
        resolving: Resolve = resolve,
        chance: Callable[[], float] = _RANDOM.random,
    ) -> None:
        """``seconds`` are what an endpoint has to answer; ``chance`` in [0, 1) spreads the retries."""
        self._seconds = seconds
        self._resolving = resolving
        self._chance = chance
        self._pool = ThreadPoolExecutor(max_workers=lanes.LANES_MAX, thread_name_prefix="webhook")
        self._running: dict[Future[None], Waiting] = {}
        self._places: dict[str, Egress] = {}
        self._lock = threading.Lock()

    def run(self, work: Workspace) -> int:
        """Take new events in and begin to send what is due; how many lanes were begun. Waits for no endpoint."""
        take_in(work)
        self._harvest()
        with work.database.reading() as connection:
            due = store.waiting(connection, work.clock.now())
        running = Counter(each.endpoint for each in self._running.values())
        failing = sum(each.failing for each in self._running.values())
        chosen = lanes.to_start(due, running, failing)
        for each in chosen:
            self._running[self._pool.submit(self._lane, work, each.endpoint)] = each
        return len(chosen)

    def run_until_idle(self, work: Workspace) -> None:
        """Send until nothing is due, and wait for every answer."""
        while self.run(work):
            wait(self._running)
        wait(self._running)
        self._harvest()

    def send(self, work: Workspace, endpoint: str, delivery: str | None = None) -> bool | None:
        """Send the oldest delivery that is due, or the one named, now; whether it arrived, None when there is none."""
        now = work.clock.now()
        lease = new_id("lea", now)
        with work.database.writing() as connection:
            claim = store.claim(connection, now, now + LEASE, lease, endpoint, delivery)
        if claim is None:
            return None
        answered = self._ask(work, claim)
        with work.database.writing() as connection:
            return self._note(connection, work, claim, answered)

    def close(self) -> None:
        """Wait for what is being sent, and let go of all connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._harvest()
        for place in self._places.values():
            place.close()

    def _lane(self, work: Workspace, endpoint: str) -> None:
        """One after the other, until one fails or nothing is due; then others have their turn."""
        until = time.monotonic() + _LANE_SECONDS
        while self.send(work, endpoint) and time.monotonic() < until:
            pass

    def _harvest(self) -> None:
        for future in [each for each in self._running if each.done()]:
            waiting = self._running.pop(future)
            error = None if future.cancelled() else future.exception()
            if error is not None:  # its lease runs out, and then it is tried again
                log.error("webhook_lane_failed", endpoint=waiting.endpoint, error=type(error).__name__)

    def _ask(self, work: Workspace, claim: Claim) -> Answered:
        at, started = work.clock.now(), time.perf_counter()
        endpoint = claim.endpoint
        origin, path = addresses.split(endpoint.url)
        status, headers, answer, error = None, {}, "", ""
        try:
            known = sealing.usable(work, endpoint.id, claim.secrets, at)
            signed = signing.headers(known, claim.event, at, claim.body)
            place = self._place(work, origin)
            reply = place.post(path, claim.body, signed, self._seconds, _ANSWER_BYTES_MAX, cut=True)
            status, headers, answer = reply.status, reply.headers, _readable(reply.content)
        except PilotageError as failure:
            error = failure.message
        milliseconds = (time.perf_counter() - started) * 1000
        return Answered(status, headers, answer, without_secrets(retrying.why(status, error)), milliseconds)

    def _place(self, work: Workspace, origin: str) -> Egress:
        with self._lock:
            if origin not in self._places:
                self._places[origin] = Egress(origin, work.settings.private_hosts, self._resolving)
            return self._places[origin]

    def _note(self, connection: sa.Connection, work: Workspace, claim: Claim, answered: Answered) -> bool:
        """Write the try down with what follows from it; whether the event arrived."""
        now, endpoint = work.clock.now(), claim.endpoint.id
        store.insert_attempt(
            connection,
            Attempt(
                delivery=claim.delivery,
                number=claim.number,
                at=now,
                status=answered.status,
                latency_ms=answered.latency_ms,
                answer=answered.answer,
                error=answered.error,
            ),
        )
        if retrying.meaning(answered.status) is Meaning.DELIVERED:
            store.settle(connection, claim, "delivered", now)
            if claim.endpoint.failures:
                store.update_endpoint(connection, endpoint, failures=0, failing_since=None, resting_until=None)
            return True
        self._note_failure(connection, work, claim, answered)
        return False

    def _note_failure(self, connection: sa.Connection, work: Workspace, claim: Claim, answered: Answered) -> None:
        now, endpoint = work.clock.now(), claim.endpoint
        wait = retrying.asked_to_wait(answered.status, answered.headers, now)
        again = retrying.next_attempt(claim.number, now, wait, self._chance())
        if retrying.meaning(answered.status) is Meaning.GONE:
            again = None
            _disable(connection, work, claim, "It answered 410: it wants nothing any more.")
        elif again is None and retrying.is_hopeless(endpoint.failing_since, now):
            _disable(connection, work, claim, "Nothing arrived for two days, and a delivery was given up.")
        store.settle(connection, claim, "waiting" if again else "given_up", again or now)
        failures = endpoint.failures + 1
        store.update_endpoint(
            connection,
            endpoint.id,
            failures=failures,
            failing_since=endpoint.failing_since or now,
            resting_until=retrying.resting_until(failures, now, wait),
        )


def _disable(connection: sa.Connection, work: Workspace, claim: Claim, because: str) -> None:
    if store.set_disabled(connection, claim.endpoint.id, work.clock.now(), because):
        detail = {"reason": because, "delivery": claim.delivery}
        governing.record(connection, work, SYSTEM, "webhook.disabled", claim.endpoint.id, detail)


def _readable(content: bytes) -> str:
    """The beginning of an answer, as text that every database stores and that holds no secret."""
    text = content.decode(errors="replace").replace("\x00", "\ufffd")
    return without_secrets(text)[:_ANSWER_LETTERS_MAX]
