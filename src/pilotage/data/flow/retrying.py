"""Trying again what failed for a reason that may pass, in rounds over all sources, so that they wait together."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from pilotage.platform.errors import SourceUnavailable, SourceUnreachable

_FIRST_SECONDS = 1.5
_GROWTH = 3.5

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Patience:
    """How often a source is tried, and how the waiting between is done and spread."""

    tries: int = 3
    sleep: Callable[[float], None] = time.sleep
    spread: Callable[[], float] = random.random

    def wait(self, tried: int) -> None:
        """Wait after that many tries: about 1.5 s, then 5 s, each up to half more or less, so that many do not meet."""
        self.sleep(_FIRST_SECONDS * _GROWTH ** (tried - 1) * (0.5 + self.spread()))


ONCE = Patience(tries=1)


def each(
    names: Iterable[str], attempt: Callable[[str], T], patience: Patience
) -> tuple[dict[str, T], dict[str, SourceUnavailable]]:
    """What the attempt gave for each source, and why it failed for the others."""
    results: dict[str, T] = {}
    failures: dict[str, SourceUnavailable] = {}
    left = list(names)
    for tried in range(1, patience.tries + 1):
        for name in left:
            try:
                results[name] = attempt(name)
                failures.pop(name, None)
            except SourceUnavailable as failure:
                failures[name] = failure
        left = [name for name in left if isinstance(failures.get(name), SourceUnreachable)]
        if not left:
            break
        if tried < patience.tries:
            patience.wait(tried)
    return results, failures
