"""What came of joining a sample of live answers again."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.releases.records import ColumnParity

REJOINED = "rejoined"
"""The kind of evidence that is a :class:`Rejoined`."""


class Rejoined(Struct, frozen=True):
    """Columns that were live when it was answered, against those that training would make for the same moments now.

    Of the ``decisions`` about moments in ``since`` to ``until`` so many were ``sampled``, evenly over their time.
    ``without_columns`` of these had been answered without any; the others were compared in ``columns`` columns, of
    which ``differing`` were not the same. ``same`` decisions stand on the same columns throughout.
    """

    use_case: str
    since: datetime
    until: datetime
    decisions: int
    sampled: int
    without_columns: int
    same: int
    columns: int
    differing: tuple[ColumnParity, ...]
    snapshots: dict[str, str]
    seconds: float

    @property
    def compared(self) -> int:
        return self.sampled - self.without_columns

    @property
    def share_same(self) -> float:
        return self.same / self.compared if self.compared else 1.0
