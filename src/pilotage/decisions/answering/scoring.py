"""Asks models, and never waits too long for one: what comes late or not at all is an opinion with a reason code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import time
from collections.abc import Callable

from pilotage.decisions.answering.deadlines import Deadline
from pilotage.decisions.answering.serving import QUICK_SECONDS, Question, Serving
from pilotage.decisions.rules import Opinion
from pilotage.platform.breaker import Breaker

THREADS = 2
CHARGED_MAX = 128
"""Scores that may be running or waiting in threads at once."""

_FAULTS = frozenset({"model_failed", "not_finite", "too_slow"})
_SLOW_SECONDS = QUICK_SECONDS * 10
_SLOW_INLINE_MAX = 3
_SLOW_FORGIVEN = 0.05
"""Of a slow score, by each quick one: an operating system that was busy elsewhere for once says nothing of a model."""
_AWAY_SECONDS, _AWAY_SECONDS_MAX = 10.0, 640.0
"""How long a quick model that was slow is asked in threads before it is tried again; twice as long each time."""
_WEIGHT = 0.1
"""Of the newest score in the running mean of how long one takes."""


class _Slow:
    """How a quick model was slow in the event loop's own thread, and until when it is not asked there."""

    def __init__(self) -> None:
        self._times = 0.0
        self._away_seconds = _AWAY_SECONDS
        self.away_until = 0.0

    def was_slow(self, now: float) -> None:
        self._times += 1
        if self._times >= _SLOW_INLINE_MAX:
            self.away_until = now + self._away_seconds
            self._away_seconds = min(2 * self._away_seconds, _AWAY_SECONDS_MAX)
            self._times = _SLOW_INLINE_MAX - 1  # once more, when it is tried again, is enough

    def was_quick(self) -> bool:
        """Whether all is forgiven."""
        self._times -= _SLOW_FORGIVEN
        return self._times <= 0


class _Turn:
    """One score that waits for a thread, from ``asked_at`` and for ``left`` seconds."""

    def __init__(self, asked_at: float, left: float, mean_seconds: float) -> None:
        self._asked_at, self._left, self._mean_seconds = asked_at, left, mean_seconds
        self._began_at: float | None = None
        self.ran_seconds: float | None = None

    def score(self, serving: Serving, question: Question) -> Opinion:
        """Score, unless it has waited so long that it would come too late: then the next may still come in time."""
        self._began_at = began = time.perf_counter()
        waited = began - self._asked_at
        if self._mean_seconds < waited and waited + self._mean_seconds > self._left:
            return Opinion(None, "overloaded")
        opinion = serving.score(question)
        self.ran_seconds = time.perf_counter() - began
        return opinion

    @property
    def waited_longer_than_it_ran(self) -> bool:
        """Whether most of its time was gone when it had its turn."""
        began = self._began_at
        return began is None or began - self._asked_at > time.perf_counter() - began


class Scoring:
    """One process's models at work, for one event loop.

    A model that answers in microseconds is asked in the event loop's own thread: handing a row over would cost more
    than scoring it; where it was slow there of late, it is not for a while. Every other is asked in threads of their
    own, and there an overrunning score keeps its slot until it ends, so that a hanging model cannot take all of them
    again and again. A version that fails some times in a row is left alone for a while; that it took longer than a
    caller had patience is no failure of it, unless it overruns the use case's own budget.
    """

    def __init__(self, threads: int = THREADS, breaker: Callable[[], Breaker] = Breaker) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self._threads = threads
        self._new_breaker = breaker
        self._breakers: dict[str, tuple[str | None, Breaker]] = {}
        self._slow_inline: dict[tuple[str, str | None], _Slow] = {}
        self._judging: set[asyncio.Task[None]] = set()
        self._charged = 0
        self._mean_seconds = 0.0

    async def opinion(self, serving: Serving, question: Question, deadline: Deadline) -> Opinion:
        """What the model says of the question, or why it says nothing; at the deadline at the latest."""
        if serving.scorer is None or question.values is None or question.is_blocked:
            return serving.score(question)
        breaker = self.breaker(serving)
        if not breaker.admits():
            return Opinion(None, "circuit_open")
        if serving.quick and not self._is_slow(serving):
            opinion = self._inline(serving, question)
        else:
            if deadline.left_to_score() <= 0:
                breaker.abandoned()
                return Opinion(None, "too_slow")
            try:
                opinion = await self._in_thread(serving, question, deadline, breaker)
            except asyncio.CancelledError:  # the caller hung up
                breaker.abandoned()
                raise
        if opinion.failure == "too_slow" and deadline.is_callers:
            return opinion  # it is judged when it ends, or overruns
        _judge(breaker, opinion)
        return opinion

    def breaker(self, serving: Serving) -> Breaker:
        """The circuit breaker of what is live: a new version begins with a closed one."""
        version, breaker = self._breakers.get(serving.definition.name, (None, None))
        if breaker is None or version != serving.live.version:
            breaker = self._new_breaker()
            self._breakers[serving.definition.name] = (serving.live.version, breaker)
        return breaker

    def circuits(self) -> list[tuple[str, str, Breaker]]:
        """Use case, version and breaker of what was asked so far and is live."""
        known = list(self._breakers.items())
        return [(name, version, breaker) for name, (version, breaker) in known if version is not None]

    def close(self) -> None:
        """Begin no more scores; those that run are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _inline(self, serving: Serving, question: Question) -> Opinion:
        began = time.perf_counter()
        opinion = serving.score(question)
        now = time.perf_counter()
        if now - began > _SLOW_SECONDS:
            self._slow_inline.setdefault(_key(serving), _Slow()).was_slow(now)
        elif self._slow_inline and (slow := self._slow_inline.get(_key(serving))) and slow.was_quick():
            del self._slow_inline[_key(serving)]
        return opinion

    def _is_slow(self, serving: Serving) -> bool:
        """Whether a quick model was slow so often of late that it must not hold up the event loop."""
        slow = self._slow_inline.get(_key(serving)) if self._slow_inline else None
        return slow is not None and time.perf_counter() < slow.away_until

    async def _in_thread(self, serving: Serving, question: Question, deadline: Deadline, breaker: Breaker) -> Opinion:
        left = deadline.left_to_score()
        if self._charged >= CHARGED_MAX or self._charged // self._threads * self._mean_seconds > left > 0:
            return Opinion(None, "overloaded")
        loop = asyncio.get_running_loop()
        self._charged += 1
        began = time.perf_counter()
        turn = _Turn(began, left, self._mean_seconds)
        score = self._pool.submit(contextvars.copy_context().run, turn.score, serving, question)
        future = asyncio.wrap_future(score, loop=loop)
        future.add_done_callback(lambda _: self._ended(turn))
        done, _ = await asyncio.wait((future,), timeout=left)
        if done:
            return future.result()
        if score.cancel() or turn.waited_longer_than_it_ran:
            return Opinion(None, "overloaded")  # no fault of the model
        if deadline.is_callers:
            judging = loop.create_task(_judge_later(breaker, future, deadline.overrun_at - time.perf_counter()))
            self._judging.add(judging)  # the loop alone would not keep it
            judging.add_done_callback(self._judging.discard)
        return Opinion(None, "too_slow")

    def _ended(self, turn: _Turn) -> None:
        self._charged -= 1
        if turn.ran_seconds is not None:
            self._mean_seconds += _WEIGHT * (turn.ran_seconds - self._mean_seconds)


def _judge(breaker: Breaker, opinion: Opinion) -> None:
    if opinion.failure in _FAULTS:
        breaker.failed()
    elif opinion.failure == "overloaded":
        breaker.abandoned()
    else:
        breaker.succeeded()


async def _judge_later(breaker: Breaker, future: asyncio.Future[Opinion], left: float) -> None:
    """Its caller has left: what becomes of the score in the ``left`` seconds that the use case allows."""
    done, _ = await asyncio.wait((future,), timeout=max(0.0, left))
    _judge(breaker, future.result() if done else Opinion(None, "too_slow"))


def _key(serving: Serving) -> tuple[str, str | None]:
    return serving.definition.name, serving.live.version
