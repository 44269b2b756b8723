"""Puts cases whose outcome is known among those that wait, as many as the file asks for: how much is overlooked?"""

from __future__ import annotations

import math

from pilotage.outcomes import store
from pilotage.platform.errors import PilotageError
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.review.rules.picking import drawn
from pilotage.usecase import flow as defining

_POOL = 1_000
AT_ONCE = 50
"""A queue that has waited long is not flooded in one step."""


def seed(work: Workspace) -> int:
    """Open the known cases that are due in every use case; how many.

    They are answers of the model that nobody has looked at and whose outcome was joined, drawn by their identifiers.
    """
    opened = 0
    for name in defining.names(work):
        try:
            share = defining.find_adopted(work, name).use_case.review.samples.known
        except PilotageError:  # a file that cannot be read asks for nothing
            continue
        opened += _seed(work, name, share) if share else 0
    return opened


def _seed(work: Workspace, use_case: str, share: float) -> int:
    others, known = reviewing.opened(work, use_case)
    due = min(AT_ONCE, math.floor(share * others) - known)
    if due < 1:
        return 0
    with work.database.reading() as connection:
        pool = store.known_answers(connection, use_case, _POOL)
    for decision in sorted(pool, key=lambda each: drawn(each.id, "known"))[:due]:
        reviewing.open_case(work, decision, "known", "")
    return min(due, len(pool))
