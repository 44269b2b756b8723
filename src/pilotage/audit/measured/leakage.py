"""Figures on values that would not be there, or could not be that good, when the decision is taken."""

from __future__ import annotations

from msgspec import Struct


class LateColumns(Struct, frozen=True):
    """A source with the decision's entity: how many of its rows became known after the decision."""

    source: str
    columns: tuple[str, ...]
    share_after: float


class Separation(Struct, frozen=True):
    """How well one column alone orders positives above negatives (area under the ROC curve, 0.5 to 1)."""

    source: str
    column: str
    auc: float
    rows: int


class LeakageFigures(Struct, frozen=True):
    """Per source with the entity, what became known late; per column, how it separates."""

    late: tuple[LateColumns, ...] = ()
    separations: tuple[Separation, ...] = ()
