"""The nouns of data: columns as found, snapshots, training sets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

ColumnType = Literal["number", "text", "datetime", "flag"]


class FoundColumn(Struct, frozen=True):
    """A column as a source has it."""

    name: str
    type: ColumnType
    engine_type: str


class Segment(Struct, frozen=True):
    """One immutable Parquet file of a snapshot: rows whose ``known_at`` lies in (known_from, known_to]."""

    digest: str
    rows: int
    known_from: datetime | None
    known_to: datetime


class Snapshot(Struct, frozen=True):
    """A version of a source: its segments in order. ``version`` is the SHA-256 of the manifest's other fields.

    ``declared`` is the digest of where the file says that the rows are and what tells them apart.
    """

    source: str
    version: str
    key: tuple[str, ...]
    known_at: str
    columns: tuple[FoundColumn, ...]
    segments: tuple[Segment, ...]
    declared: str = ""

    @property
    def rows(self) -> int:
        return sum(segment.rows for segment in self.segments)

    @property
    def known_to(self) -> datetime | None:
        return self.segments[-1].known_to if self.segments else None


class SyncResult(Struct, frozen=True):
    """What one sync of one source brought."""

    source: str
    version: str
    rows_new: int
    rows: int
    known_to: datetime | None


class TrainingSet(Struct, frozen=True):
    """One row per decision that was or would have been taken, with the columns known by then and the outcome.

    The Parquet file ``digest`` holds: entity (text), moment (timestamp), one column per input of the plan,
    ``rule`` (boolean: what the rule says), ``label`` (boolean or null where there is no outcome).
    """

    id: str
    use_case: str
    definition: str
    code: str
    snapshots: dict[str, str]
    sql: str
    digest: str
    fingerprint: str
    rows: int
    labelled: int
    positives: int
    moment_from: datetime
    moment_to: datetime
    known_to: datetime
    made_at: datetime
