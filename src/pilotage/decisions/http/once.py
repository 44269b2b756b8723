"""Requests that carry an idempotency key: each is answered once, whoever sends it again gets the same bytes.

Identifiers of decisions follow from the claim. So a request whose worker died is taken up again under the same ones:
what was made durable before is told again, and nothing is decided twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from pilotage.platform import replies
from pilotage.platform.errors import PilotageError, Unavailable
from pilotage.platform.replies import Claim, Room
from pilotage.platform.workspace import Workspace

_THREADS = 4
_PATIENCE_SECONDS = 2.0
"""A database that hangs must not hold the caller for ever."""

log = structlog.get_logger()


class Keyed:
    """One request that came with a key: its claim, which may come late or never, and the reply that is kept for it."""

    def __init__(self, work: Workspace, threads: Executor, claiming: Future[Claim | bytes]) -> None:
        self._work, self._threads = work, threads
        self._claiming = claiming

    async def claimed(self, seconds: float) -> Claim | bytes | None:
        """The claim, or the body of the reply that was given to this key before; None where the database does not say.

        A claim that comes too late is given back.

        Raises:
            KeyReused: the key came with another request before.
            RequestOutstanding: its request is being answered at this moment.
            TooMany: the caller has as many replies kept as it may.
        """
        if not await _ended(self._claiming, seconds):
            log.error("idempotency_key_not_claimed", error="TimeoutError")
            self._give_up()
            return None
        try:
            return self._claiming.result()
        except SQLAlchemyError as error:
            log.error("idempotency_key_not_claimed", error=type(error).__name__)
            return None

    async def keep(self, claimed: Claim, body: bytes, seconds: float) -> bool:
        """Keep the reply; whether it was kept in time.

        Kept late it is told to whoever sends the key again; if it never is, the claim ends with its lease, and whoever
        sends the key again gets the same identifiers.
        """
        keeping = self._threads.submit(replies.keep, self._work, claimed, body)
        if not await _ended(keeping, seconds):
            log.error("reply_not_kept", error="TimeoutError")
            return False
        try:
            keeping.result()
        except SQLAlchemyError as error:
            log.error("reply_not_kept", error=type(error).__name__)
            return False
        return True

    async def release(self, seconds: float) -> None:
        """Give the key back: nothing came of its request. Where that takes too long, it goes on without the caller."""
        if self._claiming.cancel() or self._claiming.cancelled():
            return
        if not await _ended(self._claiming, seconds):
            self._give_up()
        elif self._claiming.exception() is None and isinstance(claimed := self._claiming.result(), Claim):
            await _ended(self._threads.submit(_release, self._work, claimed), seconds)

    def _give_up(self) -> None:
        if not self._claiming.cancel():
            self._claiming.add_done_callback(self._give_back)

    def _give_back(self, late: Future[Claim | bytes]) -> None:
        """A claim that came when nobody waited for it any more."""
        if late.cancelled() or late.exception() is not None:
            return
        claimed = late.result()
        if isinstance(claimed, Claim):
            with contextlib.suppress(RuntimeError):  # it stops: the lease ends by itself
                self._threads.submit(_release, self._work, claimed)


class Once:
    """One process's way to the replies that are kept; requests without a key never come here."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._room = Room(work.settings.kept_replies_max)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="replies")

    async def reply(
        self,
        caller: str,
        key: str,
        fingerprint: bytes,
        lease: timedelta,
        answer: Callable[[Claim], Awaitable[bytes]],
    ) -> tuple[bytes, bool]:
        """The body of the reply to this key, and whether it was given before.

        What ends in a problem gave no reply: its key is free again.

        Raises:
            KeyReused: the key came with another request before.
            RequestOutstanding: its request is being answered at this moment.
            TooMany: the caller has as many replies kept as it may.
            Unavailable: the control database does not answer: nothing is promised that cannot be kept.
        """
        keyed = self.begin(caller, key, fingerprint, lease)
        claimed = await keyed.claimed(_PATIENCE_SECONDS)
        if claimed is None:
            raise _not_now()
        if isinstance(claimed, bytes):
            return claimed, True
        try:
            body = await answer(claimed)
        except BaseException:
            await keyed.release(_PATIENCE_SECONDS)
            raise
        if not await keyed.keep(claimed, body, _PATIENCE_SECONDS):
            raise _not_now()
        return body, False

    def begin(self, caller: str, key: str, fingerprint: bytes, lease: timedelta) -> Keyed:
        """Claim the key while its request is worked on: for what is answered also where the claim cannot be had."""
        asked = (self._work, caller, key, fingerprint, lease, self._room)
        return Keyed(self._work, self._threads, self._threads.submit(replies.claim, *asked))

    def close(self) -> None:
        """Wait for what is being written, and begin nothing more."""
        self._threads.shutdown(wait=True)


async def _ended(work: Future[Any], seconds: float) -> bool:
    """Whether it has ended within so many seconds; it is not cancelled."""
    waiter = asyncio.wrap_future(work)
    waiter.add_done_callback(_look_at)
    await asyncio.wait((waiter,), timeout=max(0.0, seconds))
    return work.done()


def _look_at(waiter: asyncio.Future[Any]) -> None:
    """What becomes of it is asked of the work itself, or of nobody any more."""
    if not waiter.cancelled():
        waiter.exception()


def _release(work: Workspace, claimed: Claim) -> None:
    """Give a key back; where the database is gone, its lease ends by itself."""
    try:
        replies.release(work, claimed)
    except SQLAlchemyError as error:
        log.error("idempotency_key_not_released", error=type(error).__name__)


def _not_now() -> PilotageError:
    return Unavailable(
        "Requests with an Idempotency-Key cannot be answered now: where replies are kept does not answer.",
        "Send it again with the same key.",
    )
