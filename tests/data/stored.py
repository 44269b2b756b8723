"""Looking into snapshots, as tests of sync do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pysqlite3

from pilotage.data import flow, snapshots
from pilotage.data.records import SyncResult
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition


def versions(work: Workspace, source: str, use_case: str = "returns") -> list[dict[str, Any]]:
    """All row versions of a source, with our columns, in order of the instants at which they became known."""
    found = flow.snapshot(work, use_case, source)
    with snapshots.engine(work.lake) as connection:
        relation = snapshots.versions_sql(work.lake, found)
        return connection.sql(f"SELECT * FROM {relation} ORDER BY _known_at, _deleted").to_arrow_table().to_pylist()


def newest(work: Workspace, source: str, *columns: str) -> list[tuple[Any, ...]]:
    """What is visible of a source now, sorted."""
    found = flow.snapshot(work, "returns", source)
    with snapshots.engine(work.lake) as connection:
        names = ", ".join(quoted(column) for column in columns)
        relation = snapshots.newest_sql(work.lake, found)
        return connection.execute(f"SELECT {names} FROM {relation} ORDER BY ALL").fetchall()


def result_of(results: Iterable[SyncResult], source: str) -> SyncResult:
    """What a sync brought of one source."""
    return next(result for result in results if result.source == source)


def outcomes_of(work: Workspace, definition: Definition, entities: Sequence[str]) -> dict[str, tuple[Any, datetime]]:
    """What is known to have happened to these entities, and when that became known."""
    with flow.reading_outcomes(work, definition) as told:
        return told(entities)


def changed(path: Path, statement: str) -> None:
    """Run a statement on the shop's database."""
    connection = pysqlite3.connect(str(path))
    connection.execute(statement)
    connection.commit()
    connection.close()
