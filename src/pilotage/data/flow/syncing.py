"""Sync: what became known at each source since the last time becomes a new segment of its snapshot.

A row may be committed a little after the instant its ``known_at`` names, while a later one is visible already. So each
sync reads again the last ten minutes before the newest ``known_at`` it has, and leaves out what is there by key and
``known_at``. A row that is committed later than that is missed: such a source must set ``known_at`` when it commits.
A row whose ``known_at`` lies in the future is read when its time has come.

All sources are looked at before the first is read. One that cannot be read does not keep the others from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pilotage.data import snapshots, sources, store
from pilotage.data.flow.looking import Looked, demand_fit, look, together
from pilotage.data.records import FoundColumn, Segment, Snapshot, Span, SyncResult
from pilotage.data.rules import needs, segments
from pilotage.data.sources.asked import Asked, asked, nearest
from pilotage.govern.records import Principal
from pilotage.platform.errors import EvidenceMissing, SourceUnavailable
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import Definition

OVERLAP = timedelta(minutes=10)


def sync(work: Workspace, definition: Definition) -> list[SyncResult]:
    """Bring the snapshots of all sources up to now. Evidence is kept when anything came.

    Raises:
        InvalidFile: the file names columns that its sources do not have, or have with another type; nothing was read.
        SourceUnavailable: some sources cannot be read, or lost a column; the message names all of them, and the
            others were read.
    """
    looked = _looked_at(work, definition)
    demand_fit(definition, looked, definition.name)
    return _read_all(work, definition, looked)


def adopt_and_sync(work: Workspace, definition: Definition, by: Principal, file: str) -> list[SyncResult]:
    """Make a file the current one of its use case, once its sources were looked at and fit, and sync it.

    Raises:
        InvalidFile: it does not fit its sources; nothing was adopted or read.
        SourceUnavailable: as in :func:`sync`. A file that is new or changed is adopted only when all its sources
            could be looked at; else nothing was read.
    """
    looked = _looked_at(work, definition)
    demand_fit(definition, looked, file)
    if looked.failures and not defining.is_adopted(work, definition):
        raise together(looked.failures.values())
    defining.adopt(work, definition, by, file)
    return _read_all(work, definition, looked)


def asked_of(definition: Definition, name: str) -> Asked:
    """The source of this name, with its owner."""
    return asked(definition.use_case, name)


def snapshot(work: Workspace, use_case: str, source: str) -> Snapshot:
    """The current snapshot of a source.

    Raises:
        EvidenceMissing: it was never synced.
    """
    with work.database.reading() as connection:
        found = store.current_snapshot(connection, use_case, source)
    if found is None:
        raise EvidenceMissing(
            f"Source {source} of {use_case} was never read.", f"Run `pilotage sync {use_case}` first."
        )
    return found


def current_snapshots(work: Workspace, definition: Definition) -> dict[str, Snapshot]:
    """The current snapshot of every source of a use case."""
    return {name: snapshot(work, definition.name, name) for name in definition.use_case.sources}


def segments_sql(work: Workspace, found: Snapshot) -> str:
    """The newest row of each key of a snapshot, as a relation that can stand after FROM."""
    return snapshots.newest_sql(work.lake, found)


def _looked_at(work: Workspace, definition: Definition) -> Looked:
    """What the sources have now; one that lost a column since the last sync is a failure, whatever the file says."""
    looked = look(definition)
    needed = needs.needed_columns(definition)
    columns, failures = dict(looked.columns), dict(looked.failures)
    for name, found in looked.columns.items():
        wanted = asked(definition.use_case, name)
        failure = _changed(wanted, needed[name], found, _before(work, definition, wanted))
        if failure is not None:
            failures[name] = failure
            del columns[name]
    return Looked(columns, failures)


def _read_all(work: Workspace, definition: Definition, looked: Looked) -> list[SyncResult]:
    needed = needs.needed_columns(definition)
    results: list[SyncResult] = []
    failures = dict(looked.failures)
    for name, columns in looked.columns.items():
        try:
            results.append(_sync_one(work, definition, name, needed[name], columns))
        except SourceUnavailable as failure:
            failures[name] = failure
    if any(result.rows_new for result in results):
        keep_evidence(work, definition, "sync", {"sources": [_evidence(result) for result in results]})
    if failures:
        raise together(failures.values())
    return results


def _before(work: Workspace, definition: Definition, wanted: Asked) -> Snapshot | None:
    """The source's snapshot; none when its place, key or clock was declared anew since: then it is read anew."""
    with work.database.reading() as connection:
        found = store.current_snapshot(connection, definition.name, wanted.name)
    return found if found and found.declared == snapshots.declared(wanted.source) else None


def _sync_one(
    work: Workspace, definition: Definition, name: str, needed: Sequence[str], columns: Sequence[FoundColumn]
) -> SyncResult:
    import duckdb

    wanted = asked(definition.use_case, name)
    before = _before(work, definition, wanted)
    if before and needs.missing(needed, before.columns):
        before = None  # a column was added to the source: its values lie in rows that were read without it
    try:
        after, rows_new = _take_in(work, definition, wanted, columns, before)
    except duckdb.ConversionException as error:
        reason = str(error).splitlines()[0]
        raise wanted.failure(f"Source {name}: a value does not fit its column: {reason}", "Correct the rows.") from None
    if after is None:
        raise wanted.failure(
            f"Source {name} has no rows that are known by now.",
            f"Fill it, or check that {wanted.source.known_at} is set and not in the future.",
        )
    return SyncResult(source=name, version=after.version, rows_new=rows_new, rows=after.rows, known_to=after.known_to)


def _take_in(
    work: Workspace, definition: Definition, wanted: Asked, columns: Sequence[FoundColumn], before: Snapshot | None
) -> tuple[Snapshot | None, int]:
    """Read, stage, write and remember what is new: the snapshot now current, and the number of new rows."""
    until = work.clock.now()
    after = before.known_to - OVERLAP if before and before.known_to else None
    known = _reaching(before.segments, after) if before and after else ()
    with snapshots.engine(work.lake) as connection:
        batches = sources.read(wanted, tuple(columns), Span(after, until))
        rows_new = snapshots.stage(connection, work.lake, wanted.source, columns, batches, known, after, until)
        if not rows_new:
            return before, 0
        kept, merged = segments.split(before.segments if before else (), rows_new)
        new = snapshots.write_segment(connection, work.lake, wanted.source, columns, merged, after)
    made = snapshots.make_snapshot(work.lake, wanted.name, wanted.source, columns, (*kept, new))
    with work.database.writing() as control:
        store.add_snapshot(control, definition.name, made, until)
    return made, rows_new


def _reaching(known: Sequence[Segment], after: datetime) -> tuple[Segment, ...]:
    return tuple(segment for segment in known if segment.known_to >= after)


def _changed(
    wanted: Asked, needed: Sequence[str], columns: Sequence[FoundColumn], before: Snapshot | None
) -> SourceUnavailable | None:
    """What the source lost or changed since the last sync, of what the use case needs."""
    if before is None:
        return None
    known_before = {column.name for column in before.columns}
    for name in needs.missing(needed, columns):
        if name in known_before:
            hint = nearest(name, [column.name for column in columns])
            message = f"Source {wanted.name}: column {name} has vanished since the last sync."
            return wanted.failure(message, f"{hint} Restore it, or correct the file.")
    for name, (was, is_now) in needs.changed_types(before.columns, columns).items():
        if name in needed:
            return wanted.failure(
                f"Source {wanted.name}: column {name} was {was} and is now {is_now}.",
                "Change it back, or declare a new source under another name.",
            )
    return None


def _evidence(result: SyncResult) -> dict[str, object]:
    return {
        "source": result.source,
        "version": result.version,
        "rows_new": result.rows_new,
        "rows": result.rows,
        "known_to": None if result.known_to is None else result.known_to.isoformat(),
    }
