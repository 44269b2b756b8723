"""One sync of a source at a time: a second one waits a moment, or says that one is running already."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pilotage.data import store
from pilotage.data.sources.asked import Asked
from pilotage.platform.processes import has_died, this_process
from pilotage.platform.workspace import Workspace

LEASE = timedelta(minutes=10)
_RENEWED_AFTER = timedelta(minutes=1)
_LOOK_SECONDS = 0.2

T = TypeVar("T")


class Lease:
    """The right to sync one source. Whoever works long renews it by counting what passes by."""

    def __init__(self, work: Workspace, use_case: str, wanted: Asked, holder: str) -> None:
        self._work = work
        self._use_case = use_case
        self._wanted = wanted
        self.holder = holder
        self.ended = False
        self._renewed = work.clock.now()

    def renewing(self, items: Iterable[T]) -> Iterator[T]:
        """The same items; the lease is renewed while they come."""
        for item in items:
            if self._work.clock.now() >= self._renewed + _RENEWED_AFTER:
                self.renew()
            yield item

    def renew(self) -> None:
        """Keep the lease for a full span from now."""
        with self._work.database.writing() as control:
            self.hold(control)

    def hold(self, control: sa.Connection) -> None:
        """Keep the lease as part of a transaction.

        Raises:
            SourceUnavailable: it ran out and somebody else has it.
        """
        self._renewed = self._work.clock.now()
        until = self._renewed + LEASE
        if not store.extend_lease(control, self._use_case, self._wanted.name, self.holder, until):
            raise self._wanted.failure(
                f"Source {self._wanted.name}: another sync of it began because this one took too long.",
                "Nothing is lost: the other one goes on.",
            )

    def end(self, control: sa.Connection) -> None:
        """Give the lease back as part of the transaction that publishes.

        Raises:
            SourceUnavailable: it ran out and somebody else has it.
        """
        self.hold(control)
        store.extend_lease(control, self._use_case, self._wanted.name, self.holder, None)
        self.ended = True


@contextmanager
def leased(
    work: Workspace, use_case: str, wanted: Asked, waits_s: float, sleep: Callable[[float], None]
) -> Iterator[Lease | None]:
    """The lease of a source; None when another sync has it and still did after ``waits_s`` seconds.

    A lease whose holder has died is free at once on the same machine, elsewhere when it runs out.
    """
    holder = f"{this_process()}.{secrets.token_hex(4)}"
    looks = int(waits_s / _LOOK_SECONDS)
    while not _taken(work, use_case, wanted.name, holder):
        if looks <= 0:
            yield None
            return
        looks -= 1
        sleep(_LOOK_SECONDS)
    lease = Lease(work, use_case, wanted, holder)
    try:
        yield lease
    finally:
        if not lease.ended:
            _give_back(work, use_case, wanted.name, holder)


def _taken(work: Workspace, use_case: str, source: str, holder: str) -> bool:
    now = work.clock.now()
    with work.database.writing() as control:
        other = store.lease(control, use_case, source, holder, now, now + LEASE)
        if other is not None and has_died(other.partition(".")[0]):
            store.extend_lease(control, use_case, source, other, None)
            other = store.lease(control, use_case, source, holder, now, now + LEASE)
        return other is None


def _give_back(work: Workspace, use_case: str, source: str, holder: str) -> None:
    """A database that cannot be written now does not hide why: the lease runs out by itself."""
    try:
        with work.database.writing() as control:
            store.extend_lease(control, use_case, source, holder, None)
    except SQLAlchemyError:
        return
