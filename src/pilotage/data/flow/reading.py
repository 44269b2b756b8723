"""Readings of the snapshots: which versions are current, and what happened to entities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

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


def snapshot_versions(work: Workspace, use_case: str | None = None) -> dict[str, str]:
    """The current version of every source, by ``use_case/source``; one query, as workers ask it often."""
    with work.database.reading() as connection:
        return store.current_versions(connection, use_case)


def outcomes_of(
    work: Workspace, definition: Definition, entities: Sequence[str]
) -> dict[str, tuple[Happened, datetime]]:
    """What is known to have happened to these entities, and when that became known: of the outcome's kind.

    Reads the newest row of each entity in the outcome source's snapshot; an entity without a row, whose row was deleted
    or does not decide its outcome, is not in the answer.
    """
    import pyarrow as pa

    outcome = definition.use_case.outcome
    found = snapshot(work, definition.name, outcome.source)
    entity, value = quoted(definition.plan.entity), valued(to_sql(outcome.expression), outcome.kind)
    with snapshots.engine(work.lake) as connection:
        connection.register("asked", pa.table({"asked": pa.array(entities, pa.string())}))
        rows = connection.execute(
            f"SELECT asked, {value}, {KNOWN_AT} "
            f"FROM asked JOIN {snapshots.newest_sql(work.lake, found)} ON {as_text(entity)} = asked "
            f"WHERE ({value}) IS NOT NULL"
        ).fetchall()
    return {name: (happened, _utc(at)) for name, happened, at in rows}


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
