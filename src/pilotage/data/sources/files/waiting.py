"""Waiting for a storage no longer than allowed: its libraries wait minutes for one that is silent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, TypeVar

from pilotage.data.sources.asked import Asked

T = TypeVar("T")

_LEAST_SECONDS = 0.05


class _Outcome(AbstractContextManager[None], Generic[T]):
    """What a call gave or raised, handed from its thread to the one that waits."""

    def __init__(self) -> None:
        self.given: list[T] = []
        self.raised: BaseException | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.raised = error
        return True

    def of(self, call: Callable[[], T]) -> None:
        with self:
            self.given.append(call())


def in_time(asked: Asked, address: str, seconds: float, call: Callable[[], T]) -> T:
    """What ``call`` gives, or raises. It goes on in the background, and is forgotten, when its time is over.

    Raises:
        SourceUnreachable: there is no answer within so many seconds.
    """
    outcome = _Outcome[T]()
    thread = threading.Thread(target=outcome.of, args=(call,), name=f"storage of {asked.name}", daemon=True)
    thread.start()
    thread.join(max(_LEAST_SECONDS, seconds))
    if outcome.raised is not None:
        raise outcome.raised
    if outcome.given:
        return outcome.given[0]
    raise asked.unreachable(
        f"Source {asked.name} does not answer at {address} within {max(1, round(seconds)):,} seconds.",
        "Check the address, and that its server runs and can be reached from here.",
    )
