"""Parity, measured: do live answers stand on the very columns that training had?

Twice: before a version may become live, past rows of its training set are asked through the live path as of their time
(:mod:`.replaying`); in operation, a sample of what was answered is joined again as training would (:mod:`.rejoining`).
"""

from pilotage.decisions.parity.rejoining import latest_rejoined, rejoin, rejoin_all
from pilotage.decisions.parity.replaying import measure, replay

__all__ = ["latest_rejoined", "measure", "rejoin", "rejoin_all", "replay"]
