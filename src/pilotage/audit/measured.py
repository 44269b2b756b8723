"""The nouns of measuring: figures without judgement."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.audit.records import MonthBalance
from pilotage.data.records import FoundColumn


class SourceFigures(Struct, frozen=True):
    """Figures of one source's rows. Lateness is ``known_at`` minus ``event_time``, its 95th percentile, in seconds."""

    source: str
    columns: tuple[FoundColumn, ...]
    rows: int
    keys: int
    exact_duplicates: int
    known_to: datetime | None
    completeness: dict[str, float]
    lateness_seconds: float
    days_without_rows: int
    longest_gap_days: int
    spellings: dict[str, tuple[str, ...]]


class KeyMatch(Struct, frozen=True):
    """Of the decisions, the share whose key has any row in the source."""

    source: str
    by: tuple[str, ...]
    share: float


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


class DecisionFigures(Struct, frozen=True):
    """Figures of the decisions and their outcomes."""

    decisions: int
    labelled: int
    positives: int
    balance: tuple[MonthBalance, ...]
    small_groups: dict[str, int]
    input_completeness: dict[str, float]
    first: datetime | None
    last: datetime | None


class Measured(Struct, frozen=True):
    """Everything that was measured."""

    sources: dict[str, SourceFigures]
    decisions: DecisionFigures
    matches: tuple[KeyMatch, ...]
    late: tuple[LateColumns, ...]
    separations: tuple[Separation, ...]
    newest: datetime | None
    training_set: str = ""
    recreated: bool | None = None
