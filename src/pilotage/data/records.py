"""The nouns of data: columns as found, snapshots, training sets and what they were used for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.usecase.records import SEEN_AT, OutcomeKind

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


class SourceTypes(Struct, frozen=True):
    """Names in a request that are integers (``whole``) or dates without a time (``days``) in the decision's source."""

    whole: frozenset[str] = frozenset()
    days: frozenset[str] = frozenset()


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
    ``corrected`` ones have a key that was there before. ``rows`` are all row versions kept, deletions among them. Of
    files at hand, ``unclocked`` rows have no ``known_at`` and are left out.
    """

    source: str
    version: str
    rows_new: int
    rows: int
    known_to: datetime | None
    late: int = 0
    corrected: int = 0
    deleted: int = 0
    unclocked: int = 0


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


Exclusion = Literal[
    "deletion", "without_entity", "without_moment", "known_later", "replaced", "deleted", "where", "immature"
]
"""Why a row of the decision's source is no decision; of several reasons the first."""

SEED = 7
"""Where everything that is drawn at random from a training set begins."""


class Spine(Struct, frozen=True):
    """Which rows are decisions, in the file's own expressions: an empty ``moment`` is the row's event time."""

    entity: str = ""
    source: str = ""
    moment: str = ""
    where: str = ""


Engine = Literal["duckdb", "spark"]
"""What makes lookups and windows over history: the embedded engine, or one beside it."""

Happened = bool | str | float
"""What happened: yes or no, one of several categories, or a number."""


class Label(Struct, frozen=True):
    """What is to be predicted: an expression over a row of ``source`` that gives a ``kind``, certain after ``matures``.

    ``human`` is the expression over a row of ``human_source`` that gives what people decided; empty where none is.
    """

    source: str = ""
    expression: str = ""
    matures: str = ""
    kind: OutcomeKind = "flag"
    human_source: str = ""
    human: str = ""


QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Of a number that is to be predicted, what is kept in a manifest: the least, the median, the greatest and between."""

CLASSES_MAX = 1000
"""Of categories that are to be predicted, so many are counted by name in a manifest, the most frequent."""


class TrainingSet(Struct, frozen=True):
    """One row per decision that was or would have been taken, with the columns known by then and the outcome.

    The Parquet file ``digest`` holds: entity (text), moment (timestamp), one column per input of the plan,
    ``rule`` (what the rule says) and ``label`` (null where there is no outcome), both boolean, text or double as the
    outcome's kind is; ``human`` (as these) where the file says what people decided; ``judged`` (boolean) where it says
    which rows judge; ``group_<name>`` (text) for each column of ``groups`` and ``fairness.by``.

    Of the labels ``positives`` are true, where they are yes or no; else ``classes`` counts the most frequent categories
    of ``distinct`` ones, or ``quantiles`` are the number's at :data:`QUANTILES`. ``decided`` rows have a human one,
    ``judged`` ones judge.

    ``rows_in`` are all row versions of the decision's source: they are the ``rows`` of this set and the ``excluded``
    ones, each counted once. ``plan`` is the fingerprint of the columns' definitions, ``code`` and ``engine`` are the
    versions that made the rows; ``sql`` makes them in DuckDB, whichever engine did. What learns from the set begins its
    draws at ``seed``; building draws nothing.
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
    positives: int | None
    moment_from: datetime
    moment_to: datetime
    known_to: datetime
    made_at: datetime
    plan: str = ""
    spine: Spine = Spine()
    label: Label = Label()
    rows_in: int = 0
    excluded: dict[Exclusion, int] = {}
    engine: str = ""
    seed: int = SEED
    classes: dict[str, int] = {}
    distinct: int | None = None
    quantiles: tuple[float, ...] = ()
    decided: int | None = None
    judged: int | None = None

    @property
    def kind(self) -> OutcomeKind:
        return self.label.kind

    @property
    def without_outcome(self) -> int:
        return self.rows - self.labelled


class Difference(Struct, frozen=True):
    """The first row, counted from 1, that a rebuilt training set has otherwise than the kept one, and its column.

    Without a ``column`` the whole row is only in one of them, and its value there says ``a row``.
    """

    row: int
    entity: str
    moment: datetime
    column: str
    kept: str
    rebuilt: str


class Change(Struct, frozen=True):
    """What is no longer as it was when a training set was built.

    ``snapshot`` (gone, or its manifest is another) and ``segments`` belong to a ``source``; ``file`` is the set's own.
    """

    what: Literal["snapshot", "segments", "file", "code", "engine"]
    before: str
    now: str
    source: str = ""


class Rebuilt(Struct, frozen=True):
    """Whether a training set came out the same again; ``rows`` came out, None where it could not be rebuilt.

    ``changes`` are why it did not, as far as they can be seen; ``failure`` is what the engine said. Where another
    engine made the set, ``apart`` is the largest difference of its sums, means and deviations, as a part of their size.
    """

    training_set: str
    same: bool
    rows: int | None
    difference: Difference | None = None
    changes: tuple[Change, ...] = ()
    failure: str = ""
    apart: float | None = None


class HoldoutUse(Struct, frozen=True):
    """One judgement of candidates on a period, ``held_from <= moment < held_to``, that they had not learnt from."""

    use_case: str
    training_set: str
    comparison: str
    train_to: datetime
    held_from: datetime
    held_to: datetime
    by: str
    made_at: datetime
