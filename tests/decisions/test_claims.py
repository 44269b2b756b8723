"""Keys that are claimed, given back and claimed again by many at once, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from pilotage.platform import replies
from pilotage.platform.errors import RequestOutstanding
from pilotage.platform.replies import Claim
from pilotage.platform.workspace import Workspace

pytestmark = pytest.mark.both_stores
CALLERS, TIMES = 4, 15


def test_a_key_that_is_given_back_all_the_time_is_held_by_one_at_a_time(work: Workspace) -> None:
    held: list[str] = []
    most = []
    barrier = Barrier(CALLERS)

    def claim_and_give_back(number: int) -> int:
        barrier.wait()
        got = 0
        for _ in range(TIMES):
            try:
                claimed = replies.claim(work, "key_1", "k", b"f" * 32, timedelta(seconds=60))
            except RequestOutstanding:
                continue
            assert isinstance(claimed, Claim)
            held.append(claimed.holder)
            most.append(len(held))
            held.remove(claimed.holder)
            replies.release(work, claimed)
            got += 1
        return got

    with ThreadPoolExecutor(CALLERS) as pool:
        assert sum(pool.map(claim_and_give_back, range(CALLERS))) >= TIMES
    assert set(most) == {1}
