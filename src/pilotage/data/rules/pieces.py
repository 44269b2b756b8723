"""In which pieces the first sync of a large source is read, so that one that is killed goes on where it was."""

from __future__ import annotations

from datetime import datetime

from pilotage.data.records import Extent
from pilotage.platform.instants import as_utc

PIECE_ROWS = 1_000_000


def bounds(extent: Extent | None, until: datetime, rows_max: int = PIECE_ROWS) -> tuple[datetime, ...]:
    """The ends of equal spans of ``known_at``, the last one ``until``: as many as would have ``rows_max`` rows each.

    A piece begins after the end of the one before it, the first with the first row. A source that cannot say how much
    it has is read in one piece, as is one whose rows all became known in one instant.
    """
    if extent is None or extent.first is None or extent.last is None:
        return (until,)
    first, last = as_utc(extent.first), min(as_utc(extent.last), until)
    count = -(-extent.rows // rows_max)
    if last <= first or count < 2:
        return (until,)
    ends = [first + (last - first) / count * number for number in range(1, count)]
    return (*dict.fromkeys(ends), until)
