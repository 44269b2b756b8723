"""What can be learnt, a folder per family of models: how it learns with a library, and how what it learnt is kept."""

from __future__ import annotations

from pilotage.models.families.additive import ADDITIVE
from pilotage.models.families.boosted import BOOSTED
from pilotage.models.families.candidate import Candidate
from pilotage.models.families.linear import LINEAR

__all__ = ["FAMILIES", "Candidate", "family"]

FAMILIES: tuple[Candidate, ...] = (LINEAR, ADDITIVE, BOOSTED)
"""From the simplest to the richest."""


def family(name: str) -> Candidate | None:
    """The family with this name; None of a candidate that was not learnt here."""
    return next((one for one in FAMILIES if one.name == name), None)
