"""The nouns of data: columns as found, snapshots, training sets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.usecase.records import SEEN_AT

ColumnType = Literal["number", "text", "datetime", "flag"]


class FoundColumn(Struct, frozen=True, omit_defaults=True):
    """A column as a source has it. ``written`` is the form of dates that were found in texts, such as DD.MM.YYYY.

    ``empty``: it has no value yet, so that its type is not known; it is kept as a text.
    """

    name: str
    type: ColumnType
    engine_type: str
    written: str = ""
    empty: bool = False


class Span(Struct, frozen=True):
    """Which rows of a source are wanted, by ``known_at``: ``after <= known_at <= until``; None is no bound.

    Without both bounds also rows without ``known_at`` are wanted: those of static sources.
    """

    after: datetime | None = None
    until: datetime | None = None


class Extent(Struct, frozen=True):
    """How many rows of a span a source has, and the first and last ``known_at`` among them."""

    rows: int
    first: datetime | None
    last: datetime | None


class Reference(Struct, frozen=True):
    """A version of a table that its own system keeps, and the files that make it: referenced, not copied.

    Sync counts its ``rows`` and finds its newest ``known_at``.
    """

    system: Literal["delta"]
    version: int
    files: tuple[str, ...]
    rows: int = 0
    known_to: datetime | None = None


class Segment(Struct, frozen=True):
    """One immutable Parquet file of a snapshot: rows whose ``known_at`` lies in (known_from, known_to].

    ``deletions`` of its rows say that their key is gone from then on: their column ``_deleted`` is true. Rows that a
    sync says became known when it saw them, whatever their own clock says, have that instant in ``_seen_at``.
    """

    digest: str
    rows: int
    known_from: datetime | None
    known_to: datetime
    deletions: int = 0


class Snapshot(Struct, frozen=True):
    """A version of a source: its segments in order. ``version`` is the SHA-256 of the manifest's other fields.

    ``columns`` are the customer's: ours (``_known_at``, ``_deleted``, a static source's ``_seen_at``) are not among
    them. ``declared`` is the digest of where the file says that the rows are and what tells them apart. ``deleted`` is
    the expression that marks deletions in the rows of a ``reference``; in segments they are marked already.
    """

    source: str
    version: str
    key: tuple[str, ...]
    known_at: str
    columns: tuple[FoundColumn, ...]
    segments: tuple[Segment, ...]
    declared: str = ""
    reference: Reference | None = None
    deleted: str = ""

    @property
    def rows(self) -> int:
        return self.reference.rows if self.reference else sum(segment.rows for segment in self.segments)

    @property
    def deletions(self) -> int:
        return sum(segment.deletions for segment in self.segments)

    @property
    def is_static(self) -> bool:
        return self.known_at == SEEN_AT

    @property
    def known_to(self) -> datetime | None:
        """The newest ``known_at``; None for a static source, whose rows have none of their own."""
        if self.is_static:
            return None
        if self.reference:
            return self.reference.known_to
        return self.segments[-1].known_to if self.segments else None


class SyncResult(Struct, frozen=True):
    """What one sync of one source brought: ``rows_new`` rows, and ``deleted`` keys that are gone.

    ``late`` rows were written after a sync that should have seen them: their ``known_at`` lies before its end;
    ``corrected`` ones have a key that was there before. ``rows`` are all row versions kept, deletions among them.
    """

    source: str
    version: str
    rows_new: int
    rows: int
    known_to: datetime | None
    late: int = 0
    corrected: int = 0
    deleted: int = 0


class SourceState(Struct, frozen=True):
    """How syncing a source goes: when it was tried and read last, and since when and why it fails, if it does.

    ``read_until`` is the instant up to which its rows were read; ``failures`` are tries in a row without success.
    """

    source: str
    last_try: datetime | None
    last_success: datetime | None
    read_until: datetime | None
    failures: int
    failing_since: datetime | None
    error: str


class Progress(Struct, frozen=True):
    """How far the first sync of a large source came: ``bounds`` end its pieces, the last one at ``until``.

    Of the first ``done`` pieces the rows lie in ``segments`` already; a piece without rows has none.
    """

    declared: str
    columns: tuple[FoundColumn, ...]
    until: datetime
    bounds: tuple[datetime, ...]
    done: int = 0
    segments: tuple[Segment, ...] = ()


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
