"""Which command comes after a comparison: one that works as things stand."""

from __future__ import annotations

from pilotage.models.records import Comparison


def following(comparison: Comparison, stale: bool) -> str:
    """``stale``: the use-case file has changed since, so that no model of this comparison fits it."""
    name = comparison.use_case
    if stale:
        return f"pilotage build {name}"
    if comparison.recommended == "rule":
        return f"pilotage audit {name}"
    return f"pilotage test {name} --candidate {comparison.recommended}"
