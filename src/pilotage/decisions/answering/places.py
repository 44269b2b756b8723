"""How many batches a worker has in hand: so many of all callers, and fewer of any one, so that none takes all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pilotage.platform.errors import Unavailable


class Places:
    """Places for batches, of which one caller gets a share; for one event loop."""

    def __init__(self, count: int, of_one_caller: int) -> None:
        self._count, self._of_one_caller = count, of_one_caller
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, caller: str) -> Iterator[None]:
        """A place until the end of the block.

        Raises:
            Unavailable: none is free, or the caller has its share.
        """
        if self._taken[caller] >= self._of_one_caller:
            raise Unavailable(
                f"{self._of_one_caller} batches of yours are under way.", "Send the next one when one is answered."
            )
        if self._taken.total() >= self._count:
            raise Unavailable("Too many batches came at once.", "Try again in a second, or send a job.")
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
