"""What can be learnt: one folder per task, one row each."""

from __future__ import annotations

from pilotage.models.tasks import classify
from pilotage.models.tasks.candidate import Candidate

TASKS: dict[str, tuple[Candidate, ...]] = {"classify": classify.CANDIDATES}
"""Task → its candidates, from the simplest to the richest."""


def candidate(name: str) -> Candidate:
    """The candidate with this name."""
    return next(one for candidates in TASKS.values() for one in candidates if one.name == name)
