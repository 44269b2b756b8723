"""Whether a number's intervals hold as many outcomes as they promise."""

from __future__ import annotations

from pilotage.models.records import Estimate
from pilotage.models.rules.calibrating.spans import COVERAGE


def cautions(title: str, held: Estimate | None) -> tuple[str, ...]:
    """One sentence where the intervals surely hold fewer; ``held`` is the share of held-out outcomes within them."""
    if held is None or held.high >= COVERAGE:
        return ()
    said = (
        f"{title}: its intervals are meant to hold {COVERAGE:.0%} of what happens and held {held.value:.0%} "
        f"({held.low:.0%} to {held.high:.0%}). What happens has moved away from what it was calibrated on: train on "
        "newer outcomes, and take the interval for narrower than the truth."
    )
    return (said,)
