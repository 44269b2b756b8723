"""Makes decisions durable before they are answered: hands them to the spool and waits for its commit."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

from pilotage.decisions.durable.disk import Disk
from pilotage.decisions.durable.spool import Spool

LATENESS_SECONDS = 0.015
"""How much later than its deadline an answer may come for the sake of its record."""
WRITE_SECONDS = 1.0
"""How long a write that has begun is waited for: a disk that hangs must not hold the caller for ever."""
_TICK_SECONDS = 0.001
"""What event loops round their timers to."""

Waiting = asyncio.Future[OSError | None]


class Recording:
    """The spool, for one event loop: many requests wait for one commit, and are woken by one call.

    What is recorded in one turn of the loop is handed over at its end: so a commit takes all of it, and the spool's
    thread does not ask for the interpreter's lock in the middle. One timer looks after all that wait.
    """

    def __init__(self, folder: Path, bytes_max: int, disk: Disk | None = None) -> None:
        self.spool: Spool[Waiting] = Spool(folder, bytes_max, _committed, disk)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._at_hand: list[tuple[bytes, Waiting]] = []
        self._waiting: dict[Waiting, tuple[float, bool]] = {}
        self._alarm_at = math.inf

    async def keep(self, content: bytes, left: float = WRITE_SECONDS, must_settle: bool = True) -> OSError | None:
        """Wait until the record is durable; why it is not.

        When ``left`` seconds and a few milliseconds have passed, a record whose write has not begun is withdrawn. One
        whose write has begun is waited for up to a second since then, and after that its write is given up and cut off
        again. Without ``must_settle`` it is not waited for, and may become durable all the same: for a record that says
        what is answered either way.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._follow(loop)
        durable: Waiting = loop.create_future()
        if not self._at_hand:
            loop.call_soon(self._hand_over)
        self._at_hand.append((content, durable))
        late_at = loop.time() + max(0.0, left) + LATENESS_SECONDS
        self._waiting[durable] = (late_at, must_settle)
        if late_at < self._alarm_at:
            self._set_alarm(loop, late_at)
        try:
            return await durable
        finally:
            self._waiting.pop(durable, None)

    def close(self) -> None:
        """Commit what waits, then stop."""
        self._hand_over()
        self.spool.close()

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Another loop asks than before, whose end took its timers with it."""
        self._hand_over()
        self._loop, self._alarm_at = loop, math.inf
        self._waiting.clear()

    def _hand_over(self) -> None:
        at_hand, self._at_hand = self._at_hand, []
        for durable, refused in self.spool.append_all(at_hand):
            if not durable.done():
                durable.set_result(refused)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        self._alarm_at = at
        loop.call_later(max(_TICK_SECONDS, at - loop.time()), self._look, loop, at)

    def _look(self, loop: asyncio.AbstractEventLoop, alarm_at: float) -> None:
        """Settle those that are late, and come again for the next; an alarm that an earlier one replaced does nothing.

        An alarm is not taken back when its record is durable: it comes for one of many, and then is set for the next.
        """
        if loop is not self._loop or alarm_at != self._alarm_at:
            return
        now = loop.time() + _TICK_SECONDS
        late = [(durable, must_settle) for durable, (at, must_settle) in self._waiting.items() if at <= now]
        for durable, must_settle in late:
            del self._waiting[durable]
            self._late(durable, must_settle)
        self._alarm_at = math.inf
        if self._waiting:
            self._set_alarm(loop, min(at for at, _ in self._waiting.values()))

    def _late(self, durable: Waiting, must_settle: bool) -> None:
        self._hand_over()  # so that the spool knows of it
        if durable.done():
            return
        if self.spool.withdraw(durable):
            durable.set_result(TimeoutError("the disk is too slow: withdrawn"))
        elif not must_settle:
            durable.set_result(TimeoutError("the disk is too slow"))
        else:
            patience = max(0.0, WRITE_SECONDS - self.spool.written_for())
            durable.get_loop().call_later(patience, self.spool.give_up, durable)


def _committed(waiting: Sequence[Waiting], error: OSError | None) -> None:
    """Called after each commit, from any thread; those of an event loop that has ended wait no more."""
    loop = waiting[-1].get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(_settle, [each for each in waiting if each.get_loop() is loop], error)


def _settle(waiting: Sequence[Waiting], error: OSError | None) -> None:
    for each in waiting:
        if not each.done():
            each.set_result(error)
