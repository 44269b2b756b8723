"""Which outcomes are new, which correct an earlier one, and which say nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pilotage.decisions.records import Said
from pilotage.outcomes.records import JoinedOutcome


def changes(
    decided: Iterable[tuple[str, str]],
    happened: Mapping[str, tuple[Said, datetime]],
    joined: Mapping[str, JoinedOutcome],
    use_case: str,
    now: datetime,
) -> list[JoinedOutcome]:
    """What to add, so that each decision has the newest outcome of its entity, however often this is repeated.

    Args:
        decided: (decision, entity) pairs.
        happened: by entity, what it was and when that became known; no entry where nothing is known.
        joined: by decision, the outcome that counts so far.
    """
    found = []
    for decision, entity in decided:
        if entity not in happened:
            continue
        what, known_at = happened[entity]
        before = joined.get(decision)
        if before is not None and before.known_at >= known_at:
            continue
        revision = 1 if before is None else before.revision + 1
        found.append(JoinedOutcome(decision, use_case, entity, what, known_at, now, revision))
    return found
