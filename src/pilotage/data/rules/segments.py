"""Which segments of a snapshot a new one is merged with, so that frequent syncs do not make thousands of files."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.records import Segment


def split(segments: Sequence[Segment], rows_new: int) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """The segments that stay, and the newest ones that the new rows are written together with.

    A segment is merged when it is less than twice as large as what comes after it. So sizes at least double from newest
    to oldest, there are at most log2(rows) segments, and a row is rewritten at most that often.
    """
    kept = list(segments)
    rows = rows_new
    while kept and kept[-1].rows < 2 * rows:
        rows += kept.pop().rows
    return tuple(kept), tuple(segments[len(kept) :])
