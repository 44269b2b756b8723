"""The past of a training set, opened again: its rows, what the app would have sent for them, and live columns of then.

Everything is read from the snapshots that the set names, so that sources may have moved on since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilotage.data import relations, snapshots, store
from pilotage.data.flow.training import BETWEEN, training_rows
from pilotage.data.live import LiveColumns, live_columns
from pilotage.data.records import Snapshot, TrainingSet
from pilotage.platform.errors import CorruptArtefact, EvidenceMissing, NotFound
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SPINE = "CREATE TABLE spine AS"


@dataclass(frozen=True)
class Past:
    """The rows of a training set in order of moment and entity, and the live columns for every moment of theirs."""

    rows: pa.Table
    columns: LiveColumns
    _connection: duckdb.DuckDBPyConnection
    _definition: Definition

    def requests(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """What the app would have sent for these rows, as the decision's source had it by then; None where nothing."""
        import pyarrow as pa

        plan = self._definition.plan
        asked = pa.table({"_position": pa.array(positions, pa.int64()), "_entity": self.rows["entity"].take(positions)})
        entity = quoted(plan.entity)
        names = ", ".join(f"spine.{quoted(name)}" for name in dict.fromkeys([plan.entity, *plan.request]))
        self._connection.register("_asked", asked)
        found = self._connection.sql(
            f"SELECT {names} FROM _asked JOIN spine ON spine.{entity} = _asked._entity ORDER BY _position"
        ).to_arrow_table()
        self._connection.unregister("_asked")
        return [dict(row) for row in found.to_pylist()]


@contextmanager
def opened_past(work: Workspace, definition: Definition, training_set: TrainingSet) -> Iterator[Past]:
    """The past as the training set has it. ``definition`` must have the columns that the set was made for.

    Raises:
        EvidenceMissing: a snapshot that the set was made from, or the set's own file, cannot be read any more.
    """
    found = _snapshots(work, training_set)
    with snapshots.engine(work.lake) as connection:
        for snapshot in found.values():
            columns = [column.name for column in snapshot.columns]
            connection.execute(relations.loading_sql(work.lake, snapshot, columns))
        connection.execute(next(each for each in training_set.sql.split(BETWEEN) if each.startswith(_SPINE)))
        live = live_columns(connection, definition, found)
        yield Past(training_rows(work, training_set), live, connection, definition)


def find_training_set(work: Workspace, identifier: str) -> TrainingSet | None:
    """The training set with this identifier."""
    with work.database.reading() as connection:
        return store.training_set(connection, identifier)


def _snapshots(work: Workspace, training_set: TrainingSet) -> dict[str, Snapshot]:
    again = f"Run pilotage build {training_set.use_case} and pilotage train {training_set.use_case}."
    try:
        found = {name: snapshots.read_snapshot(work.lake, at) for name, at in training_set.snapshots.items()}
        for snapshot in found.values():
            snapshots.check_segments(work.lake, snapshot)
    except (NotFound, CorruptArtefact) as error:
        message = f"The snapshots of training set {training_set.id} cannot be read any more: {error.message}"
        raise EvidenceMissing(message, f"Restore a backup, or: {again}") from error
    if not work.lake.path(training_set.digest, snapshots.SEGMENT).exists():
        raise EvidenceMissing(f"The file of training set {training_set.id} is gone.", f"Restore a backup, or: {again}")
    return found
