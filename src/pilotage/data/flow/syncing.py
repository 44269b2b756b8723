"""Sync: what became known at each source since the last time becomes a new segment of its snapshot.

A row may be written after the instant its ``known_at`` names, while a later one is visible already. So each sync reads
again what became known in the span ``late`` of the source (a day unless the file says otherwise) before the newest
``known_at`` it has, and leaves out what is there. A row that is written later than that is missed, unless all keys are
compared: such a source must set ``known_at`` when it commits. A row whose ``known_at`` lies in the future is read when
its time has come.

All sources are looked at before the first is read. One that cannot be read does not keep the others from it; one that
did not answer is tried again. Two syncs of one source do not run at once.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import timedelta

import msgspec
import structlog

from pilotage.data import snapshots, sources, store
from pilotage.data.flow import adopting
from pilotage.data.flow.contracting import Inspection
from pilotage.data.flow.leasing import leased
from pilotage.data.flow.looking import Looked, demand_fit, look, together
from pilotage.data.flow.odd_values import odd_value
from pilotage.data.flow.retrying import ONCE, Patience, each
from pilotage.data.flow.taking_in import Intake, emptied, take_in
from pilotage.data.records import FoundColumn, Snapshot, SourceState, SyncResult
from pilotage.data.rules import needs, refreshing
from pilotage.data.sources.asked import Asked, asked, nearest
from pilotage.govern.records import Principal
from pilotage.platform.errors import EvidenceMissing, SourceUnavailable, TooLarge
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import ROW, Definition

BUSY_SECONDS = 20.0
PATIENT = Patience()

log = structlog.get_logger()


def sync(work: Workspace, definition: Definition, patience: Patience = PATIENT) -> list[SyncResult]:
    """Bring the snapshots of all sources up to now. Evidence is kept when anything came.

    Raises:
        InvalidFile: the file names columns that its sources do not have, or have with another type; nothing was read.
        SourceUnavailable: some sources cannot be read, or lost a column; the message names all of them, and the
            others were read.
        StorageFull: the disk is full; sources read before that are kept.
    """
    looked = _looked_at(work, definition, definition.use_case.sources, patience)
    demand_fit(definition, looked, definition.name)
    return _read_all(work, definition, looked, patience, BUSY_SECONDS)


def adopt_and_sync(
    work: Workspace, definition: Definition, by: Principal, file: str, patience: Patience = PATIENT
) -> list[SyncResult]:
    """Make a file the current one of its use case, once its sources were looked at and fit, and sync it.

    Raises:
        InvalidFile: it does not fit its sources; nothing was adopted or read.
        SourceUnavailable: as in :func:`sync`. A file that is new or changed is adopted only when all its sources
            could be looked at; else nothing was read.
    """
    looked = _looked_at(work, definition, definition.use_case.sources, patience)
    demand_fit(definition, looked, file)
    if looked.failures and not defining.is_adopted(work, definition):
        raise together(looked.failures.values())
    adopting.adopt(work, definition, adopting.folder_beside(file), by, looked.columns)
    defining.adopt(work, definition, by, file)
    return _read_all(work, definition, looked, patience, BUSY_SECONDS)


def sync_due(work: Workspace, definition: Definition, but: Container[str] = ()) -> list[SyncResult]:
    """Read the sources whose time has come, as their ``refresh`` says; one that another sync reads is passed over.

    ``but`` are sources that are not read for this file.

    Raises:
        InvalidFile, SourceUnavailable, StorageFull: as in :func:`sync`, of the sources that were tried now.
    """
    now, default = work.clock.now(), timedelta(seconds=work.settings.sync_seconds)
    known = states(work, definition.name)
    due = [
        name
        for name, source in definition.use_case.sources.items()
        if name not in but and refreshing.is_due(known.get(name), refreshing.interval(source, default), now)
    ]
    if not due:
        return []
    looked = _looked_at(work, definition, due, ONCE)
    demand_fit(definition, looked, definition.name)
    return _read_all(work, definition, looked, ONCE, 0)


def states(work: Workspace, use_case: str) -> dict[str, SourceState]:
    """How syncing each source goes: last try and success, and since when and why it fails. Untried ones are absent."""
    with work.database.reading() as connection:
        return store.states(connection, use_case)


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


def not_its_rows(work: Workspace, definition: Definition) -> list[str]:
    """The sources of an earlier file whose rows are no longer here as that file declares them."""
    with work.database.reading() as connection:
        kept = {name: store.current_snapshot(connection, definition.name, name) for name in definition.use_case.sources}
    return [
        name
        for name, source in definition.use_case.sources.items()
        if (found := kept[name]) is None
        or found.declared != snapshots.declared(source)
        or needs.missing(needs.asked_for(definition, name), found.columns)
    ]


def segments_sql(work: Workspace, found: Snapshot) -> str:
    """The newest row of each key of a snapshot, as a relation that can stand after FROM."""
    return snapshots.newest_sql(work.lake, found)


def _looked_at(work: Workspace, definition: Definition, names: Iterable[str], patience: Patience) -> Looked:
    """What the sources have now; one that lost a column since the last sync is a failure, whatever the file says."""
    looked = look(definition, names, patience)
    columns, failures = dict(looked.columns), dict(looked.failures)
    for name, found in looked.columns.items():
        wanted = asked(definition.use_case, name)
        failure = _changed(wanted, needs.asked_for(definition, name), found, _before(work, definition, wanted))
        if failure is not None:
            failures[name] = failure
            del columns[name]
    return Looked(columns, failures)


def _read_all(
    work: Workspace, definition: Definition, looked: Looked, patience: Patience, waits_s: float
) -> list[SyncResult]:
    """Read what could be looked at; keep the evidence of what came also where something goes wrong later."""
    work.lake.sweep(work.clock.now())
    read: dict[str, SyncResult] = {}

    def attempt(name: str) -> None:
        result = _sync_one(work, definition, name, looked.columns[name], patience, waits_s)
        if result is not None:
            read[name] = result

    try:
        _, failed = each(looked.columns, attempt, patience)
    finally:
        results = [read[name] for name in looked.columns if name in read]
        if any(result.rows_new + result.deleted for result in results):
            keep_evidence(work, definition, "sync", {"sources": [_evidence(result) for result in results]})
    failures = looked.failures | failed
    for name, failure in failures.items():
        _remember_failure(work, definition, name, failure)
    if failures:
        raise together(failures.values())
    return results


def _remember_failure(work: Workspace, definition: Definition, name: str, failure: SourceUnavailable) -> None:
    with work.database.writing() as control:
        count = store.add_failure(control, definition.name, name, work.clock.now(), failure.message)
    log.warning("source_failing", use_case=definition.name, source=name, failures=count, error=failure.message)


def _before(work: Workspace, definition: Definition, wanted: Asked) -> Snapshot | None:
    """The source's snapshot; none when its place, key or clock was declared anew since: then it is read anew."""
    with work.database.reading() as connection:
        found = store.current_snapshot(connection, definition.name, wanted.name)
    return found if found and found.declared == snapshots.declared(wanted.source) else None


def _sync_one(
    work: Workspace,
    definition: Definition,
    name: str,
    columns: Sequence[FoundColumn],
    patience: Patience,
    waits_s: float,
) -> SyncResult | None:
    """Sync one source; None when another sync of it runs and nobody waits for its end."""
    import duckdb

    wanted = asked(definition.use_case, name)
    _demand_names(definition, wanted, columns)
    with leased(work, definition.name, wanted, waits_s, patience.sleep) as lease:
        if lease is None and waits_s:
            raise wanted.failure(f"Source {name} is being read by another sync.", "Wait until it has ended.")
        if lease is None:
            return None
        before = _before(work, definition, wanted)
        # A column was added to the source: its values lie in rows that were read without it.
        anew = bool(before and needs.missing(needs.asked_for(definition, name), before.columns))
        state = states(work, definition.name).get(name)
        inspection = Inspection(work, definition, name)
        read_until = state.read_until if state else None
        kept = needs.settled(before.columns, columns) if before else tuple(columns)
        intake = Intake(definition.name, wanted, kept, before, read_until, anew, inspection.look)
        try:
            result = take_in(work, intake, lease)
        except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
            reason = str(error).splitlines()[0]
            message = f"Source {name}: a value does not fit its column: {reason}"
            raise wanted.failure(message, "Correct the rows.") from None
        except TooLarge as error:
            message = f"Source {name} with its {len(columns):,} columns: {error.message}"
            raise wanted.failure(message, error.repair) from None
    if result is None:
        clock = f"check that {wanted.source.known_at} is set and not in the future"
        raise wanted.failure(
            f"Source {name} has no rows that are known by now.",
            "Fill it." if wanted.source.is_static else f"Fill it, or {clock}.",
        )
    inspection.close(result.known_to)
    return msgspec.structs.replace(result, unclocked=_unclocked(wanted, kept)) if result.rows_new else result


def _unclocked(wanted: Asked, columns: tuple[FoundColumn, ...]) -> int:
    """Rows that no sync takes because they have no ``known_at``: counted where a file can be read twice cheaply."""
    if not wanted.source.files or wanted.source.is_static or not sources.is_near(wanted):
        return 0
    return sources.unclocked(wanted, columns)


def _demand_names(definition: Definition, wanted: Asked, columns: Sequence[FoundColumn]) -> None:
    """That the engine can tell the columns apart, from each other and from ours."""
    kept = {column.name for column in snapshots.stored(columns)}
    needed = needs.needed_columns(definition)[wanted.name]
    if own := [column.name for column in columns if column.name not in kept and column.name in needed]:
        message = f"Source {wanted.name}: {own[0]} is the name of a column that Pilotage adds itself."
        raise wanted.failure(message, "Read the source through a view that names it otherwise.")
    first: dict[str, str] = {}
    for name in (column.name for column in columns):
        other = first.setdefault(name.lower(), name)
        if other != name:
            message = f"Source {wanted.name}: columns {other} and {name} differ in nothing but upper and lower case."
            raise wanted.failure(message, "Read the source through a view that names them apart.")


def _changed(
    wanted: Asked, needed: Sequence[str], columns: Sequence[FoundColumn], before: Snapshot | None
) -> SourceUnavailable | None:
    """What the source lost or changed since the last sync, of what the use case needs."""
    if before is None:
        return None
    if before.rows > before.deletions and all(column.empty for column in columns if column.name != ROW):
        return emptied(wanted, before)
    known_before = {column.name for column in before.columns}
    for name in needs.missing(needed, columns):
        if name in known_before:
            hint = nearest(name, [column.name for column in columns])
            message = f"Source {wanted.name}: column {name} has vanished since the last sync."
            return wanted.failure(message, f"{hint} Restore it, or correct the file.")
    for name, (was, is_now) in needs.changed_types(before.columns, columns).items():
        if name in needed:
            odd = odd_value(wanted, name, was, columns)
            return wanted.failure(
                f"Source {wanted.name}: column {name} was {was} and is now {is_now}{odd}.",
                "Correct that value." if odd else "Change it back, or declare a new source under another name.",
            )
    return None


def _evidence(result: SyncResult) -> dict[str, object]:
    return {
        "source": result.source,
        "version": result.version,
        "rows_new": result.rows_new,
        "rows": result.rows,
        "known_to": None if result.known_to is None else result.known_to.isoformat(),
        "late": result.late,
        "corrected": result.corrected,
        "deleted": result.deleted,
    }
