"""Which endpoints are sent to next. A lane is one thread that sends to one endpoint, one delivery after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pilotage.webhooks.records import Waiting

LANES_MAX = 32
LANES_OF_FAILING_MAX = 8
"""Endpoints that failed last share these, so that many that hang cannot hold up those that answer."""
LANES_OF_ONE_MAX = 4
_DELIVERIES_PER_LANE = 10


def to_start(due: Sequence[Waiting], running: Mapping[str, int], failing: int) -> list[Waiting]:
    """The lanes to begin: a first one for each endpoint before anybody's second.

    Healthy endpoints come before failing ones, and each of these by its oldest delivery. ``running`` counts the lanes
    that each endpoint has, ``failing`` how many of all were begun for an endpoint that failed.
    """
    free = LANES_MAX - sum(running.values())
    lanes = Counter(running)
    chosen: list[Waiting] = []
    order = sorted(due, key=lambda waiting: (waiting.failing, waiting.due_at, waiting.endpoint))
    for _ in range(LANES_OF_ONE_MAX):
        for each in order:
            is_held_back = each.failing and failing >= LANES_OF_FAILING_MAX
            if len(chosen) < free and lanes[each.endpoint] < _wanted(each) and not is_held_back:
                failing += each.failing
                lanes[each.endpoint] += 1
                chosen.append(each)
    return chosen


def _wanted(waiting: Waiting) -> int:
    return 1 if waiting.failing else min(LANES_OF_ONE_MAX, 1 + waiting.count // _DELIVERIES_PER_LANE)
