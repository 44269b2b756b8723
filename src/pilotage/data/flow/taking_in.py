"""Taking in one source: read what became known, find what is new against its snapshot, publish the next snapshot.

Nothing is visible before the end: segments are files nobody names until the manifest does, and one transaction makes
the snapshot the current one, ends the progress of a first sync and notes the success.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from pilotage.data import snapshots, sources, store
from pilotage.data.flow import resuming
from pilotage.data.flow.leasing import Lease
from pilotage.data.records import FoundColumn, Reference, Segment, Snapshot, Span, SyncResult
from pilotage.data.rules import changes, segments
from pilotage.data.rules.changes import Changes
from pilotage.data.rules.marks import DELETED, KNOWN_AT, same
from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import seconds

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class Intake(Struct, frozen=True):
    """What one sync of one source stands on.

    ``read_until`` is how far the sync before it read. ``anew``: all rows are read, because the source gained a column.
    ``inspect`` is shown new rows before they are kept, and a relation of those that are there; it refuses by raising.
    """

    use_case: str
    wanted: Asked
    columns: tuple[FoundColumn, ...]
    before: Snapshot | None
    read_until: datetime | None
    anew: bool = False
    inspect: Callable[[duckdb.DuckDBPyConnection, str, str], None] = lambda connection, new, kept: None

    @property
    def stored(self) -> list[FoundColumn]:
        return snapshots.stored(self.columns)


def take_in(work: Workspace, intake: Intake, lease: Lease) -> SyncResult | None:
    """Bring the snapshot of a source up to now; None when the source has no rows yet."""
    reference = sources.reference(intake.wanted) if _is_referenced(intake) else None
    if reference is not None:
        return _refer(work, intake, reference, lease)
    if intake.before is None or not intake.before.segments:
        return _first(work, intake, lease)
    return _next(work, intake, intake.before, lease)


def _is_referenced(intake: Intake) -> bool:
    """A system's versions replace ours only where the table itself says when each row became known or was deleted."""
    source = intake.wanted.source
    return not source.is_static and source.deletions == "ignored"


def _first(work: Workspace, intake: Intake, lease: Lease) -> SyncResult | None:
    """All rows, piece by piece where there are many: what was read before a kill is not read again."""
    made = resuming.begin(work, intake.use_case, intake.wanted, intake.columns)
    source = intake.wanted.source
    for number in range(made.done, len(made.bounds)):
        after = made.bounds[number - 1] if number else None
        span = Span() if source.is_static else Span(after, made.bounds[number])
        with snapshots.engine(work.lake) as connection:
            _stage(connection, "incoming", intake, span, lease, exclusive=True)
            for statement in changes.first_sql(source):
                connection.execute(statement)
            new = _written(connection, work, intake, (), after) if _any(connection, "incoming") else None
        made = resuming.advance(work, intake.use_case, intake.wanted, made, new)
    if not made.segments:
        return None
    snapshot = snapshots.make_snapshot(work.lake, intake.wanted.name, source, intake.stored, made.segments)
    publish(work, intake, snapshot, made.until, lease)
    deleted = snapshot.deletions
    return _result(snapshot, rows_new=snapshot.rows - deleted, deleted=deleted)


def _next(work: Workspace, intake: Intake, before: Snapshot, lease: Lease) -> SyncResult:
    """What is new since the last sync, and what was written late, changed in place, deleted, or came back."""
    until, source = work.clock.now(), intake.wanted.source
    look_back = before.known_to - timedelta(seconds=seconds(source.late)) if before.known_to else None
    after = None if intake.anew else look_back
    compared = _changes(work, intake, before, after, until)
    with snapshots.engine(work.lake) as connection:
        _stage(connection, "incoming", intake, Span() if source.is_static else Span(after, until), lease)
        for statement in changes.changed_sql(compared):
            connection.execute(statement)
        if source.is_static:
            _refuse_emptied(connection, intake, "incoming", before)
            connection.execute(changes.gone_static_sql(compared))
        elif source.deletions == "compared":
            _compare_keys(connection, intake, before, compared, until, lease)
        read_until = intake.read_until or before.known_to or until
        counted = connection.execute(changes.counts_sql(compared, snapshots.instant(read_until))).fetchall()[0]
        rows_new, deleted, late, corrected = counted
        if intake.anew:
            for statement in changes.anew_sql(compared):
                connection.execute(statement)
        elif not rows_new + deleted:
            publish(work, intake, None, until, lease)
            return _result(before)
        kept, merged = ((), ()) if intake.anew else segments.split(before.segments, rows_new + deleted)
        new = _written(connection, work, intake, merged, after)
    made = snapshots.make_snapshot(work.lake, intake.wanted.name, source, intake.stored, (*kept, new))
    publish(work, intake, made, until, lease)
    return _result(made, rows_new, late, corrected, deleted)


def _compare_keys(
    connection: duckdb.DuckDBPyConnection,
    intake: Intake,
    before: Snapshot,
    compared: Changes,
    until: datetime,
    lease: Lease,
) -> None:
    """Read all keys: those that are gone are deleted from now on; rows of those that came back are read again."""
    wanted = intake.wanted
    names = {*wanted.source.key, wanted.source.known_at}
    columns = tuple(column for column in intake.columns if column.name in names)
    with _reading(wanted, columns, Span(), lease) as batches:
        snapshots.stage(connection, "present", wanted.source, columns, batches)
    _refuse_emptied(connection, intake, "present", before)
    connection.execute(changes.keys_sql(compared))
    for statement in changes.compared_sql(compared):
        connection.execute(statement)
    if _any(connection, "back"):
        key = [quoted(name) for name in wanted.source.key]
        asked_again = f"EXISTS (SELECT 1 FROM back b WHERE {same('b', 'r', key)})"
        _stage(connection, "again", intake, Span(None, until), lease, also=asked_again)
        connection.execute(changes.back_sql(compared))


def _refuse_emptied(connection: duckdb.DuckDBPyConnection, intake: Intake, table: str, before: Snapshot) -> None:
    """A table that is empty all at once is being filled anew more often than it was really emptied."""
    if before.rows > before.deletions and not _any(connection, table):
        raise emptied(intake.wanted, before)


def emptied(wanted: Asked, before: Snapshot) -> SourceUnavailable:
    """That a source which had rows has none."""
    return wanted.failure(
        f"Source {wanted.name} had {before.rows:,} rows and is empty: nothing was taken as deleted.",
        "Fill it again. If it was emptied for good, take it out of the file.",
    )


def _refer(work: Workspace, intake: Intake, reference: Reference, lease: Lease) -> SyncResult:
    """Name the present version of a table that keeps its versions itself; nothing is copied."""
    until, wanted, before = work.clock.now(), intake.wanted, intake.before
    present = before.reference if before else None
    if before and present and (present.version, present.files) == (reference.version, reference.files):
        publish(work, intake, None, until, lease)
        return _result(before)
    uncounted = snapshots.snapshot_of(wanted.name, wanted.source, intake.stored, (), reference)
    with snapshots.engine(work.lake) as connection:
        relation = snapshots.versions_sql(work.lake, uncounted)
        intake.inspect(connection, relation, "")
        statement = f"SELECT count(*), max({KNOWN_AT}), count(*) FILTER ({DELETED}) FROM {relation}"
        rows, newest, gone = connection.execute(statement).fetchall()[0]
    known_to = newest.replace(tzinfo=UTC) if newest else None
    counted = msgspec.structs.replace(reference, rows=rows, known_to=known_to)
    made = snapshots.make_snapshot(work.lake, wanted.name, wanted.source, intake.stored, (), counted)
    publish(work, intake, made, until, lease)
    rows_before = before.rows if before and present else 0
    return _result(made, rows_new=max(rows - rows_before, 0), deleted=0 if rows_before else gone)


def publish(work: Workspace, intake: Intake, made: Snapshot | None, until: datetime, lease: Lease) -> None:
    """Make a snapshot the current one, if there is a new one, and note that the source was read."""
    use_case, name = intake.use_case, intake.wanted.name
    with work.database.writing() as control:
        lease.end(control)
        if made is not None:
            store.add_snapshot(control, use_case, made, until)
        store.forget_progress(control, use_case, name)
        store.add_success(control, use_case, name, work.clock.now(), until)


def _stage(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    intake: Intake,
    span: Span,
    lease: Lease,
    exclusive: bool = False,
    also: str = "true",
) -> None:
    """Read a span exactly; ``exclusive`` of its lower end, where a piece before it had the rows of that instant."""
    wanted, clock = intake.wanted, quoted(intake.wanted.source.known_at)
    bounds = [also]
    if span.until:
        bounds.append(f"r.{clock} <= {snapshots.instant(span.until)}")
    if span.after:
        bounds.append(f"r.{clock} {'>' if exclusive else '>='} {snapshots.instant(span.after)}")
    with _reading(wanted, intake.columns, span, lease) as batches:
        snapshots.stage(connection, table, wanted.source, intake.columns, batches, " AND ".join(bounds))


@contextmanager
def _reading(
    wanted: Asked, columns: tuple[FoundColumn, ...], span: Span, lease: Lease
) -> Iterator[Iterator[pa.RecordBatch]]:
    """A source's batches; its connection is closed also where they are not taken to their end."""
    batches = sources.read(wanted, columns, span)
    try:
        yield lease.renewing(batches)
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _changes(work: Workspace, intake: Intake, before: Snapshot, after: datetime | None, until: datetime) -> Changes:
    """Staged rows are compared with the kept ones of the span that was read; of a static source with all."""
    types = {column.name: column.engine_type for column in before.columns}
    empty = {column.name for column in before.columns if column.empty}
    typed = [c for c in intake.stored if c.name in empty and types[c.name] != c.engine_type]

    def stored_of(segments: Sequence[Segment]) -> str:
        """Where a column had no values, none has the type that it has now."""
        rows = snapshots.stored_sql(work.lake, segments)
        nothing = ", ".join(f"CAST(NULL AS {column.engine_type}) AS {quoted(column.name)}" for column in typed)
        return f"(SELECT * REPLACE ({nothing}) FROM {rows})" if typed else rows

    stored = stored_of(before.segments)
    recent = stored
    if after is not None:
        reaching = [segment for segment in before.segments if segment.known_to >= after]
        clock = quoted(intake.wanted.source.known_at)
        files = stored_of(reaching)
        recent = f"(SELECT * FROM {files} WHERE {clock} >= {snapshots.instant(after)})"
    same_type = {c.name for c in intake.stored if types.get(c.name) == c.engine_type}.union(c.name for c in typed)
    common = tuple(column.name for column in intake.stored if column.name in same_type)
    return Changes(intake.wanted.source, stored, recent, common, snapshots.instant(until))


def _written(
    connection: duckdb.DuckDBPyConnection,
    work: Workspace,
    intake: Intake,
    merged: Sequence[Segment],
    after: datetime | None,
) -> Segment:
    segments_before = intake.before.segments if intake.before else ()
    known_to = segments_before[-1].known_to if segments_before else None
    intake.inspect(connection, "new", snapshots.stored_sql(work.lake, segments_before) if segments_before else "")
    return snapshots.write_segment(connection, work.lake, intake.wanted.source, intake.stored, merged, after, known_to)


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall())


def _result(made: Snapshot, rows_new: int = 0, late: int = 0, corrected: int = 0, deleted: int = 0) -> SyncResult:
    return SyncResult(made.source, made.version, rows_new, made.rows, made.known_to, late, corrected, deleted)
