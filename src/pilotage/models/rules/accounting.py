"""Which decisions with an outcome are in none of the three parts, and why: so that the account adds up."""

from __future__ import annotations

from pilotage.models.rules.splitting import Split
from pilotage.platform.counting import plural


def left_out(parts: Split, known: int, beside: int, matures: str) -> tuple[str, ...]:
    """Sentences; none where each of the ``known`` decisions with an outcome is in a part.

    ``beside`` of them lie at the time of those that the file sets apart to judge, without being one of these.
    ``matures``: as in the file.
    """
    used = len(parts.train) + len(parts.calibrate) + len(parts.held_out)
    told = (
        _embargoed(parts, known - used - parts.rows_shared - beside, matures),
        _beside(beside),
        _shared(parts),
    )
    reasons = tuple(sentence for sentence in told if sentence)
    if not reasons:
        return ()
    return (f"Of {plural(known, 'decision')} with an outcome {known - used:,} are in none of these parts.", *reasons)


def _embargoed(parts: Split, rows: int, matures: str) -> str:
    if not rows:
        return ""
    return (
        f"{plural(rows, 'decision')} of the last days before {parts.train_to:%Y-%m-%d} and before "
        f"{parts.calibrate_to:%Y-%m-%d} are left out, as outcomes take {matures}: on these two days they were not "
        "known yet."
    )


def _beside(rows: int) -> str:
    if not rows:
        return ""
    return (
        f"{plural(rows, 'decision')} of the time that judges are left out, as the file does not set them apart: a "
        "model that learnt from them would know the time it is judged on."
    )


def _shared(parts: Split) -> str:
    if not parts.rows_shared:
        return ""
    several = "entities stand" if parts.entities_shared != 1 else "entity stands"
    later = plural(parts.rows_shared, "later decision")
    return (
        f"{parts.entities_shared:,} {several} in several of these parts: their {later} are left out, so that none is "
        "judged on what it taught."
    )
