"""What a request's columns are in the source that past decisions come from: an app sends values as they stand there."""

from __future__ import annotations

from pilotage.data import snapshots, store
from pilotage.data.records import Snapshot, SourceTypes
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

_KEPT: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}
"""Snapshot and its columns → those that hold only days: a snapshot never changes."""


def source_types(work: Workspace, definition: Definition) -> SourceTypes:
    """Which names of a request are integers or days in the decision's source; none while it was never read."""
    source, entity = definition.use_case.decision.source, definition.plan.entity
    with work.database.reading() as connection:
        snapshot = store.current_snapshot(connection, definition.name, source)
    if snapshot is None:
        return SourceTypes()
    request = definition.plan.request
    texts = {entity: entity} | {name: c.column or name for name, c in request.items() if c.kind == "category"}
    instants = {name: c.column or name for name, c in request.items() if c.kind == "datetime"}
    found = {column.name: column for column in snapshot.columns}
    whole = {name for name, column in texts.items() if column in found and found[column].engine_type == "BIGINT"}
    dated = {name: column for name, column in instants.items() if column in found and found[column].type == "datetime"}
    days = _days(work, snapshot, tuple(sorted(set(dated.values()))))
    return SourceTypes(frozenset(whole), frozenset(name for name, column in dated.items() if column in days))


def _days(work: Workspace, snapshot: Snapshot, columns: tuple[str, ...]) -> frozenset[str]:
    """Those of the columns whose every value is midnight: a date without a time."""
    kept = (snapshot.version, columns)
    if columns and kept not in _KEPT:
        checks = ", ".join(f"bool_and({quoted(c)} = date_trunc('day', {quoted(c)}))" for c in columns)
        with snapshots.engine(work.lake) as engine:
            row = engine.execute(f"SELECT {checks} FROM {snapshots.versions_sql(work.lake, snapshot)}").fetchall()[0]
        _KEPT[kept] = frozenset(column for column, only in zip(columns, row, strict=True) if only)
    return _KEPT.get(kept, frozenset())
