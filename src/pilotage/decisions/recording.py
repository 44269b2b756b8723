"""Makes decisions durable before they are answered: hands them to the spool and waits for its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pilotage.decisions.disk import Disk
from pilotage.decisions.spool import Spool

LATENESS_SECONDS = 0.015
"""How much later than its deadline an answer may come for the sake of its record."""
WRITE_SECONDS = 1.0
"""How long a write that has begun is waited for: a disk that hangs must not hold the caller for ever."""

Waiting = asyncio.Future[OSError | None]


class Recording:
    """The spool, for an event loop: many requests wait for one commit, and are woken by one call."""

    def __init__(self, folder: Path, bytes_max: int, disk: Disk | None = None) -> None:
        self.spool: Spool[Waiting] = Spool(folder, bytes_max, _committed, disk)

    async def keep(self, content: bytes, left: float = WRITE_SECONDS, must_settle: bool = True) -> OSError | None:
        """Wait until the record is durable; why it is not.

        When ``left`` seconds and a few milliseconds have passed, a record whose write has not begun is withdrawn. One
        whose write has begun is waited for up to a second since then, and after that its write is given up and cut off
        again. Without ``must_settle`` it is not waited for, and may become durable all the same: for a record that says
        what is answered either way.
        """
        loop = asyncio.get_running_loop()
        durable: Waiting = loop.create_future()
        refused = self.spool.append(content, durable)
        if refused is not None:
            return refused
        late = loop.call_later(max(0.0, left) + LATENESS_SECONDS, self._late, durable, must_settle)
        try:
            return await durable
        finally:
            late.cancel()

    def close(self) -> None:
        """Commit what waits, then stop."""
        self.spool.close()

    def _late(self, durable: Waiting, must_settle: bool) -> None:
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
    """Called after each commit, from any thread; all that wait belong to one event loop."""
    loop = waiting[0].get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(_settle, waiting, error)


def _settle(waiting: Sequence[Waiting], error: OSError | None) -> None:
    for each in waiting:
        if not each.done():
            each.set_result(error)
