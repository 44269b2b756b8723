"""Requests that carry an idempotency key: each is answered once, whoever sends it again gets the same bytes.

Identifiers of decisions follow from the claim. So a request whose worker died is taken up again under the same ones:
what was made durable before is told again, and nothing is decided twice.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable
from datetime import timedelta

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


class Once:
    """One process's way to the replies that are kept; requests without a key never come here."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._room = Room(work.settings.kept_replies_max)
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="replies")

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
        claimed = await self._claimed(caller, key, fingerprint, lease)
        if isinstance(claimed, bytes):
            return claimed, True
        try:
            body = await answer(claimed)
        except BaseException:
            await self._released(claimed)
            raise
        await self._kept(claimed, body)
        return body, False

    def close(self) -> None:
        """Wait for what is being written, and begin nothing more."""
        self._threads.shutdown(wait=True)

    async def _claimed(self, caller: str, key: str, fingerprint: bytes, lease: timedelta) -> Claim | bytes:
        loop = asyncio.get_running_loop()
        asked = (self._work, caller, key, fingerprint, lease, self._room)
        future = loop.run_in_executor(self._threads, replies.claim, *asked)
        done, _ = await asyncio.wait((future,), timeout=_PATIENCE_SECONDS)
        if not done:
            future.add_done_callback(self._give_back)
            raise _not_now()
        try:
            return future.result()
        except SQLAlchemyError as error:
            log.error("idempotency_key_not_claimed", error=type(error).__name__)
            raise _not_now() from None

    def _give_back(self, late: asyncio.Future[Claim | bytes]) -> None:
        """A claim that came when nobody waited for it any more."""
        if late.cancelled() or late.exception() is not None:
            return
        claimed = late.result()
        if isinstance(claimed, Claim):
            self._threads.submit(_release, self._work, claimed)

    async def _released(self, claimed: Claim) -> None:
        """Give the key back; where that takes too long, it goes on without the caller."""
        loop = asyncio.get_running_loop()
        await asyncio.wait(
            (loop.run_in_executor(self._threads, _release, self._work, claimed),), timeout=_PATIENCE_SECONDS
        )

    async def _kept(self, claimed: Claim, body: bytes) -> None:
        """Keep the reply. Kept too late, it is told to whoever sends the key again."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, replies.keep, self._work, claimed, body)
        done, _ = await asyncio.wait((future,), timeout=_PATIENCE_SECONDS)
        if not done:
            log.error("reply_not_kept", error="TimeoutError")
            future.add_done_callback(_forget_failure)
            raise _not_now()
        try:
            future.result()
        except SQLAlchemyError as error:
            log.error("reply_not_kept", error=type(error).__name__)
            raise _not_now() from None


def _forget_failure(late: asyncio.Future[None]) -> None:
    """It was said already that the reply was not kept in time."""
    if not late.cancelled():
        late.exception()


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
