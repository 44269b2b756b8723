"""Bodies that are still coming: so many of one caller at once, so that who dribbles takes only their own places."""

from __future__ import annotations

from collections import Counter

from pilotage.decisions.http.exchange import Receive, read_body
from pilotage.platform.errors import Unavailable


class Arrivals:
    """One process's bodies that have not come whole, counted by caller."""

    def __init__(self, at_once_max: int, bytes_max: int, repair: str = "Send one decision per request.") -> None:
        self._at_once_max = at_once_max
        self._bytes_max = bytes_max
        self._repair = repair
        self._coming: Counter[str] = Counter()

    async def read(self, receive: Receive, caller: str) -> bytes:
        """The whole body.

        Raises:
            Unavailable: so many bodies of this caller are still coming.
            TooLarge: it is larger than allowed.
            TooSlow: it did not come whole in time.
        """
        if self._coming[caller] >= self._at_once_max:
            raise Unavailable(
                f"{self._at_once_max} requests of this key have not come whole yet.", "Send each body with its headers."
            )
        self._coming[caller] += 1
        try:
            return await read_body(receive, self._bytes_max, self._repair)
        finally:
            self._coming[caller] -= 1
            if not self._coming[caller]:
                del self._coming[caller]
