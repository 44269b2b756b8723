"""The columns that training would make for questions that were asked: from the newest snapshots, with training's SQL.

Only rows that the questions can see are read: of each source those of the columns' spans before the oldest question,
with every version of their keys, so that the work does not grow with the history that lies before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pilotage.data import relations, snapshots
from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.live import as_kind
from pilotage.data.records import Snapshot
from pilotage.data.rules.marks import same
from pilotage.data.rules.timelines import ENGINE_TYPES, timelines
from pilotage.data.rules.training import columns_of_spine
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import ColumnKind, Definition

if TYPE_CHECKING:
    import duckdb


class Question(Struct, frozen=True):
    """What was asked of an entity: the moment whose knowledge counts, and the request's columns by name."""

    entity: str
    moment: datetime
    request: Mapping[str, Any]


class Rejoined(Struct, frozen=True):
    """The rows that training would have now, by entity and moment (UTC), and the snapshots that they are from."""

    rows: dict[tuple[str, datetime], dict[str, Any]]
    snapshots: dict[str, str]


def as_trained(work: Workspace, definition: Definition, questions: Sequence[Question]) -> Rejoined:
    """The columns of the plan for each question; no two may be of the same entity and moment.

    Raises:
        EvidenceMissing: a source was never synced.
        NotFound: a file or a version of a source is gone.
    """
    found = current_snapshots(work, definition)
    oldest = min(question.moment for question in questions)
    with snapshots.engine(work.lake) as connection:
        for snapshot in found.values():
            snapshots.check_segments(work.lake, snapshot)
        relations.load(connection, work.lake, definition, found, list(found))
        for snapshot in found.values():
            _narrow(connection, definition, snapshot, oldest)
        _spine(connection, definition, questions)
        for statement in columns_of_spine(definition, relations.measure(connection, definition)):
            connection.execute(statement)
        rows = connection.sql("SELECT * FROM columns").to_arrow_table().to_pylist()
    made = {(row["entity"], as_utc(row["moment"])): row for row in rows}
    return Rejoined(made, {name: snapshot.version for name, snapshot in found.items()})


def _narrow(
    connection: duckdb.DuckDBPyConnection, definition: Definition, snapshot: Snapshot, oldest: datetime
) -> None:
    """Keep of a source what the questions can see. A list without clocks is kept whole; what no column needs, not.

    All versions of a key are kept where any of them lies in the span: a correction may have moved it in or out.
    """
    name = snapshot.source
    spans = [line.over_seconds for line in timelines(definition.plan) if line.source == name]
    if spans and snapshot.is_static:
        return
    whole = quoted(f"_whole_{name}")
    connection.execute(f"ALTER VIEW {quoted(name)} RENAME TO {whole}")
    if not spans:
        connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM {whole} WHERE false")
        return
    source = definition.use_case.sources[name]
    key = [quoted(column) for column in source.key]
    since = as_utc(oldest).replace(tzinfo=None) - timedelta(seconds=max(spans))
    connection.execute(
        f"CREATE TABLE {quoted('_seen_' + name)} AS SELECT DISTINCT {', '.join(key)} FROM {whole} "
        f"WHERE CAST({quoted(source.event_time)} AS TIMESTAMP) >= $since",
        {"since": since},
    )
    connection.execute(
        f"CREATE TABLE {quoted(name)} AS SELECT w.* FROM {whole} w "
        f"SEMI JOIN {quoted('_seen_' + name)} s ON {same('w', 's', key)}"
    )


def _spine(connection: duckdb.DuckDBPyConnection, definition: Definition, questions: Sequence[Question]) -> None:
    """The questions in place of the decisions that the spine would find in its source."""
    import pyarrow as pa

    plan = definition.plan
    kinds: dict[str, ColumnKind] = {name: column.kind for name, column in plan.request.items()}
    kinds[plan.entity] = "category"
    columns = ", ".join(f"{quoted(name)} {ENGINE_TYPES[kind]}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE spine (_moment TIMESTAMP, {columns})")
    rows = [_row(question, plan.entity, kinds) for question in questions]
    values = [[row[at] for row in rows] for at in range(len(kinds) + 1)]
    connection.register("_questions", pa.table(values, names=["_moment", *kinds]))
    connection.execute("INSERT INTO spine SELECT * FROM _questions")


def _row(question: Question, entity: str, kinds: Mapping[str, ColumnKind]) -> list[Any]:
    values = {**question.request, entity: question.entity}
    moment = as_utc(question.moment).replace(tzinfo=None)
    return [moment, *(as_kind(values.get(name), kind) for name, kind in kinds.items())]
