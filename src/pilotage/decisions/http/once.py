"""Requests that carry an idempotency key: each is answered once, whoever sends it again gets the same bytes.

Identifiers of decisions follow from the claim. So a request whose worker died is taken up again under the same ones:
what was made durable before is told again, and nothing is decided twice.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import exc

from pilotage.platform import replies
from pilotage.platform.errors import PilotageError
from pilotage.platform.outages import Outage
from pilotage.platform.replies import Claim, Room, Wanted
from pilotage.platform.workspace import Workspace

_TOGETHER_MAX = 200
"""Keys in one transaction."""
_WAITING_MAX = 2_000
"""Where more wait, the database is away or hangs: no more are remembered."""
_QUIET_SECONDS = 10.0
_AWAY_SECONDS = 0.02
"""How long a database is waited for that has hung: answers need it only for keys."""
_STOP_SECONDS = 5.0


class _Deed(Struct, frozen=True):
    """A key to claim, or a claim to keep a body for; without one, to give back."""

    what: Wanted | Claim
    body: bytes | None
    done: Future[Any]


class Once:
    """One thread of a process that claims keys and keeps replies: all that wait, in two transactions.

    A transaction costs the disk the same for one key as for many, and many that write at once wait for each other.
    """

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._room = Room(work.settings.kept_replies_max)
        self._waiting: queue.SimpleQueue[_Deed | None] = queue.SimpleQueue()
        self.is_away = False
        self._outage = Outage("idempotency_keys_not_kept", quiet_seconds=_QUIET_SECONDS)
        self._thread: threading.Thread | None = None

    def begin(self, caller: str, key: str, fingerprint: bytes, lease: timedelta) -> Keyed:
        """Claim the key while its request is worked on: for what is answered also where the claim cannot be had."""
        return Keyed(self, Wanted(caller, key, fingerprint, lease))

    def claim(self, wanted: Wanted) -> Future[Claim | bytes]:
        """The claim, the body of the reply that was given before, or what :func:`replies.claim` raises."""
        return self._do(_Deed(wanted, None, Future()))

    def settle(self, claimed: Claim, body: bytes | None) -> Future[None]:
        """Keep the reply, or without one give the key back."""
        return self._do(_Deed(claimed, body, Future()))

    def failed(self, why: Exception | str) -> None:
        """Say that keys are not kept: when it begins, and once a minute while it lasts."""
        self._outage.failed(why)

    def hung(self) -> None:
        """The database did not say in time. Until it says anything again, nobody waits for it as long as that."""
        self.is_away = True
        self.failed("TimeoutError")

    def close(self) -> None:
        """Do what waits, and begin nothing more."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(_STOP_SECONDS)

    def _do(self, deed: _Deed) -> Future[Any]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="replies", daemon=True)
            self._thread.start()
        if self._waiting.qsize() >= _WAITING_MAX:
            deed.done.set_exception(exc.TimeoutError("too many wait"))
        else:
            self._waiting.put(deed)
        return deed.done

    def _run(self) -> None:
        deed: _Deed | None
        while (deed := self._waiting.get()) is not None:
            deeds, is_last = [deed], False
            while len(deeds) < _TOGETHER_MAX and not is_last:
                try:
                    deed = self._waiting.get_nowait()
                except queue.Empty:
                    break
                is_last = deed is None
                deeds += [deed] if deed is not None else []
            self._do_all([each for each in deeds if each.done.set_running_or_notify_cancel()])
            if is_last:
                break

    def _do_all(self, deeds: Sequence[_Deed]) -> None:
        """What frees keys comes first."""
        claimed = [(each.what, each.body, each.done) for each in deeds if isinstance(each.what, Claim)]
        wanted = [(each.what, each.done) for each in deeds if isinstance(each.what, Wanted)]
        if claimed:
            pairs = [(what, body) for what, body, _ in claimed]
            self._tell([done for _, _, done in claimed], lambda: replies.settle_all(self._work, pairs))
        if wanted:
            keys = [what for what, _ in wanted]
            self._tell([done for _, done in wanted], lambda: replies.claim_all(self._work, keys, self._room))

    def _tell(self, waiting: Sequence[Future[Any]], do: Callable[[], Sequence[Any]]) -> None:
        """Each what came of its own; all of them, where it failed as a whole."""
        try:
            found = do()
        except Exception as error:  # noqa: BLE001  a thread: it must not die, and whoever waits is told
            for each in waiting:
                each.set_exception(error)
            return
        self.is_away = False
        self._outage.ended()
        for each, what in zip(waiting, found, strict=True):
            if isinstance(what, PilotageError):
                each.set_exception(what)
            else:
                each.set_result(what)


class Keyed:
    """One request that came with a key: its claim, which may come late or never, and the reply that is kept for it."""

    def __init__(self, keeper: Once, wanted: Wanted) -> None:
        self._keeper = keeper
        self._claiming = keeper.claim(wanted)

    async def claimed(self, seconds: float) -> Claim | bytes | None:
        """The claim, or the body of the reply that was given to this key before; None where the database does not say.

        A claim that comes too late is given back.

        Raises:
            KeyReused: the key came with another request before.
            RequestOutstanding: its request is being answered at this moment.
            TooMany: the caller has as many replies kept as it may.
        """
        if not await _ended(self._claiming, self._patience(seconds)):
            self._keeper.hung()
            self._give_up()
            return None
        try:
            return self._claiming.result()
        except exc.SQLAlchemyError as error:
            self._keeper.failed(error)
            return None

    async def keep(self, claimed: Claim, body: bytes, seconds: float) -> bool:
        """Keep the reply; whether it was kept in time.

        Kept late it is told to whoever sends the key again; if it never is, the claim ends with its lease, and whoever
        sends the key again gets the same identifiers.

        Raises:
            RequestOutstanding: the lease was over, and another answers this request.
        """
        keeping = self._keeper.settle(claimed, body)
        if not await _ended(keeping, self._patience(seconds)):
            self._keeper.hung()
            return False
        try:
            keeping.result()
        except exc.SQLAlchemyError as error:
            self._keeper.failed(error)
            return False
        return True

    async def release(self, seconds: float) -> None:
        """Give the key back: nothing came of its request. Where that takes too long, it goes on without the caller."""
        if self._claiming.cancel() or self._claiming.cancelled():
            return
        if not await _ended(self._claiming, seconds):
            self._give_up()
        elif self._claiming.exception() is None and isinstance(claimed := self._claiming.result(), Claim):
            await _ended(self._keeper.settle(claimed, None), seconds)

    def _patience(self, seconds: float) -> float:
        return min(seconds, _AWAY_SECONDS) if self._keeper.is_away else seconds

    def _give_up(self) -> None:
        if not self._claiming.cancel():
            self._claiming.add_done_callback(self._give_back)

    def _give_back(self, late: Future[Claim | bytes]) -> None:
        """A claim that came when nobody waited for it any more."""
        if not late.cancelled() and late.exception() is None and isinstance(claimed := late.result(), Claim):
            self._keeper.settle(claimed, None)


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
