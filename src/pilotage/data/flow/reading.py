"""Readings of the snapshots: which versions are current, and what happened to entities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pilotage.data import snapshots, store
from pilotage.data.flow.syncing import snapshot
from pilotage.data.records import Happened
from pilotage.data.rules.keys import as_text
from pilotage.data.rules.marks import KNOWN_AT
from pilotage.data.rules.outcomes import valued
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions import to_sql

if TYPE_CHECKING:
    import duckdb

OutcomesOf = Callable[[Sequence[str]], dict[str, tuple[Happened, datetime]]]
"""By entity, of those that are asked about, what happened and when that became known."""


def snapshot_versions(work: Workspace, use_case: str | None = None) -> dict[str, str]:
    """The current version of every source, by ``use_case/source``; one query, as workers ask it often."""
    with work.database.reading() as connection:
        return store.current_versions(connection, use_case)


@contextmanager
def reading_outcomes(work: Workspace, definition: Definition) -> Iterator[OutcomesOf]:
    """What answers, for some entities at a time, what is known to have happened to them, and when that became known.

    Of the outcome's kind, from the newest row of each key in the outcome source's snapshot; an entity without a row,
    whose row was deleted or does not decide its outcome, is not in the answer. The snapshot is read once, into a table
    of three columns that the engine keeps in its own bounded memory: asking then costs a look through that table.

    Raises:
        EvidenceMissing: the source was never synced.
        StorageFull: there is no room for what does not fit into memory.
    """
    outcome = definition.use_case.outcome
    found = snapshot(work, definition.name, outcome.source)
    entity, value = quoted(definition.plan.entity), valued(to_sql(outcome.expression), outcome.kind)
    with snapshots.engine(work.lake) as connection:
        connection.execute(
            f"CREATE TABLE said AS SELECT {as_text(entity)} AS entity, {value} AS happened, {KNOWN_AT} AS known_at "
            f"FROM {snapshots.newest_sql(work.lake, found)} WHERE ({value}) IS NOT NULL"
        )
        yield partial(_outcomes_of, connection)


def _outcomes_of(
    connection: duckdb.DuckDBPyConnection, entities: Sequence[str]
) -> dict[str, tuple[Happened, datetime]]:
    import pyarrow as pa

    connection.register("asked", pa.table({"asked": pa.array(entities, pa.string())}))
    # Of an entity with several rows the one that became known last is read last, and counts.
    statement = "SELECT entity, happened, known_at FROM said JOIN asked ON entity = asked ORDER BY known_at"
    rows = connection.execute(statement).fetchall()
    return {name: (happened, _utc(at)) for name, happened, at in rows}


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
