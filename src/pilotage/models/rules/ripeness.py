"""Whether outcomes were known in time: by the end of the part of the history that learns or calibrates with them."""

from __future__ import annotations

from datetime import datetime

from pilotage.models.rules.splitting import Split


def cautions(parts: Split, matures: str) -> tuple[str, ...]:
    """A sentence per part with outcomes that became known only after the next part begins. ``matures``: as in the file.

    The embargo leaves such rows out, and takes at most a quarter of a part: beyond it they stay in.
    """
    told = (
        _told("learnt from", parts.train_late, "calibrating", parts.train_to, matures),
        _told("calibrated on", parts.calibrate_late, "judging", parts.calibrate_to, matures),
    )
    return tuple(sentence for sentence in told if sentence)


def unripe(parts: Split, matures: str) -> str:
    """Why nothing is proved where judging begins before any outcome of the calibration part was known; else empty."""
    if parts.calibrate_late < 1:
        return ""
    return (
        f"Outcomes take {matures}, and none of the {len(parts.calibrate):,} decisions that calibrate had its own by "
        f"{parts.calibrate_to:%Y-%m-%d}, when judging begins. {_repair(matures)}"
    )


def _told(does: str, late: float, then: str, begins: datetime, matures: str) -> str:
    if not late:
        return ""
    return (
        f"Of the decisions that are {does}, {_share(late)} had no outcome yet when {then} begins "
        f"({begins:%Y-%m-%d}), as outcomes take {matures}: a model of that day could not have used them, so it may be "
        f"worth less than these figures say. {_repair(matures)}"
    )


def _share(late: float) -> str:
    """``100 %`` only where it is all of them."""
    if late == 1:
        return "100 %"
    return "less than 1 %" if late < 0.01 else f"{min(99, round(100 * late))} %"


def _repair(matures: str) -> str:
    return (
        f"Sync more history, so that each part lasts more than four times {matures}, or shorten outcome.matures if "
        "outcomes are known sooner."
    )
