"""Asks models, and never waits too long for one: what comes late or not at all is an opinion with a reason code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable

from pilotage.decisions.deadlines import Deadline
from pilotage.decisions.rules import Opinion
from pilotage.decisions.serving import QUICK_SECONDS, Question, Serving
from pilotage.platform.breaker import Breaker

THREADS = 2
CHARGED_MAX = 128
"""Scores that may be running or waiting in threads at once."""

_FAULTS = frozenset({"model_failed", "too_slow"})
_SLOW_INLINE_MAX = 3
_SLOW_FORGIVEN = 0.02
"""Of a slow score, by each quick one: an operating system that was busy elsewhere for once says nothing of a model."""
_WEIGHT = 0.1
"""Of the newest score in the running mean of how long one takes."""


class Scoring:
    """One process's models at work, for one event loop.

    A model that answers in microseconds is asked in the event loop's own thread: handing a row over would cost more
    than scoring it. Every other is asked in threads of their own, and there an overrunning score keeps its slot until
    it ends, so that a hanging model cannot take all of them again and again. A version that fails some times in a row
    is left alone for a while.
    """

    def __init__(self, threads: int = THREADS, breaker: Callable[[], Breaker] = Breaker) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self._threads = threads
        self._new_breaker = breaker
        self._breakers: dict[str, tuple[str | None, Breaker]] = {}
        self._slow_inline: dict[tuple[str, str | None], float] = {}
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
                opinion = await self._in_thread(serving, question, deadline)
            except asyncio.CancelledError:  # the caller hung up
                breaker.abandoned()
                raise
        if opinion.failure in _FAULTS:
            breaker.failed()
        elif opinion.failure == "overloaded":
            breaker.abandoned()
        else:
            breaker.succeeded()
        return opinion

    def breaker(self, serving: Serving) -> Breaker:
        """The circuit breaker of what is live: a new version begins with a closed one."""
        version, breaker = self._breakers.get(serving.definition.name, (None, None))
        if breaker is None or version != serving.live.version:
            breaker = self._new_breaker()
            self._breakers[serving.definition.name] = (serving.live.version, breaker)
        return breaker

    def close(self) -> None:
        """Begin no more scores; those that run are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _inline(self, serving: Serving, question: Question) -> Opinion:
        began = time.perf_counter()
        opinion = serving.score(question)
        is_slow = time.perf_counter() - began > QUICK_SECONDS * 10
        if is_slow or self._slow_inline:
            slow = self._slow_inline.get(_key(serving), 0.0)
            self._slow_inline[_key(serving)] = slow + 1 if is_slow else max(0.0, slow - _SLOW_FORGIVEN)
        return opinion

    def _is_slow(self, serving: Serving) -> bool:
        """Whether a quick model was slow so often that it must not hold up the event loop any more."""
        return bool(self._slow_inline) and self._slow_inline.get(_key(serving), 0.0) >= _SLOW_INLINE_MAX

    async def _in_thread(self, serving: Serving, question: Question, deadline: Deadline) -> Opinion:
        left = deadline.left_to_score()
        if self._charged >= CHARGED_MAX or self._charged // self._threads * self._mean_seconds > left > 0:
            return Opinion(None, "overloaded")
        loop = asyncio.get_running_loop()
        self._charged += 1
        began = time.perf_counter()
        future = loop.run_in_executor(self._pool, serving.score, question)
        future.add_done_callback(lambda _: self._ended(time.perf_counter() - began))
        done, _ = await asyncio.wait((future,), timeout=left)
        return future.result() if done else Opinion(None, "too_slow")

    def _ended(self, seconds: float) -> None:
        self._charged -= 1
        self._mean_seconds += _WEIGHT * (seconds / max(1, self._charged // self._threads) - self._mean_seconds)


def _key(serving: Serving) -> tuple[str, str | None]:
    return serving.definition.name, serving.live.version
