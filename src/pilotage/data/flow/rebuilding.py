"""Training sets made again from what they name: are they the same to the last bit, and if not, what changed?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.data import relations, snapshots, store
from pilotage.data.fingerprint import fingerprint
from pilotage.data.flow.differing import first_difference, told_apart
from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.flow.training import BETWEEN, ORDERED, build, engine_version, manifest, training_rows
from pilotage.data.records import Change, Engine, Rebuilt, Snapshot, TrainingSet
from pilotage.data.rules.training import inexact_columns
from pilotage.platform.code_version import code_version
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.lake import sha256_of
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import pyarrow as pa


class Verified(Struct, frozen=True):
    """A training set with its proof; ``earlier`` compares it with one that other code made of the same snapshots."""

    training_set: TrainingSet
    proof: Rebuilt
    earlier: Rebuilt | None = None


def verify(work: Workspace, definition: Definition, engine: Engine = "duckdb") -> Verified:
    """Prove the training set that stands on the file and the snapshots as they are; where there is none, build it.

    One that other code or another engine made is built anew, and held against what that had made.

    Raises:
        EvidenceMissing: as :func:`pilotage.data.flow.training.build`.
    """
    found = standing(work, definition)
    if found is not None and found.code == code_version() and _is_of(found, engine):
        return Verified(found, prove(work, definition, found))
    built = build(work, definition, engine)
    proof = prove(work, definition, built)
    return Verified(built, proof, None if found is None else _compared(work, definition, found, built))


def _is_of(found: TrainingSet, engine: Engine) -> bool:
    return found.engine.startswith("spark ") == (engine == "spark")


def _compared(work: Workspace, definition: Definition, earlier: TrainingSet, built: TrainingSet) -> Rebuilt:
    """Whether two sets of the same file and snapshots have the same rows; else what made them differs.

    Two engines add up in different orders: sums, means and deviations may differ in their last bits.
    """
    if earlier.fingerprint == built.fingerprint:
        return Rebuilt(earlier.id, True, built.rows)
    kept, again = _kept(work, earlier), training_rows(work, built)
    if kept is not None and earlier.engine.partition(" ")[0] != built.engine.partition(" ")[0]:
        apart, again = told_apart(kept, again, inexact_columns(definition.plan))
        if apart is not None and first_difference(kept, again) is None:
            return Rebuilt(earlier.id, True, built.rows, apart=apart)
    difference = None if kept is None else first_difference(kept, again)
    return Rebuilt(earlier.id, False, built.rows, difference, _makers(earlier))


def prove(work: Workspace, definition: Definition, training_set: TrainingSet) -> Rebuilt:
    """Rebuild a training set from its snapshots, and keep as evidence whether it came out the same."""
    inexact = frozenset[str]() if _is_of(training_set, "duckdb") else inexact_columns(definition.plan)
    rebuilt = rebuild(work, training_set, inexact)
    said: dict[str, object] = {"recreated": rebuilt.same, "difference": rebuilt.difference, "changes": rebuilt.changes}
    if rebuilt.apart is not None:
        said["apart"] = rebuilt.apart
    keep_evidence(work, definition, "training_set", {**manifest(training_set), **said})
    return rebuilt


def standing(work: Workspace, definition: Definition) -> TrainingSet | None:
    """The training set built last, where it stands on the file and the snapshots as they are now."""
    with work.database.reading() as connection:
        built = store.latest_training_set(connection, definition.name)
    if built is None or built.definition != definition.substance:
        return None
    versions = {name: found.version for name, found in current_snapshots(work, definition).items()}
    return built if built.snapshots == versions else None


def rebuild(work: Workspace, training_set: TrainingSet, inexact: frozenset[str] = frozenset()) -> Rebuilt:
    """Run a training set's own SQL over the snapshots it names, and compare row for row with the kept file.

    It is the same when the rows are, and every file that it names still has its bytes. Of a set that another engine
    made, the columns that are ``inexact`` may differ by so much as the order of adding up explains.
    """
    import duckdb

    found, changes = _sources(work, training_set)
    changes = (*changes, *_own_file(work, training_set))
    if set(found) != set(training_set.snapshots):
        return Rebuilt(training_set.id, False, None, changes=changes)
    try:
        again = _again(work, training_set, found)
    except duckdb.Error as error:
        changes = changes or _makers(training_set)
        return Rebuilt(training_set.id, False, None, changes=changes, failure=str(error).partition("\n")[0])
    if fingerprint(again) == training_set.fingerprint:
        return Rebuilt(training_set.id, not changes, again.num_rows, changes=changes)
    kept, apart = _kept(work, training_set), None
    if inexact and kept is not None:
        apart, again = told_apart(kept, again, inexact)
    difference = None if kept is None else first_difference(kept, again)
    if apart is not None and difference is None:
        return Rebuilt(training_set.id, not changes, again.num_rows, changes=changes, apart=apart)
    return Rebuilt(training_set.id, False, again.num_rows, difference, changes or _makers(training_set))


def _sources(work: Workspace, training_set: TrainingSet) -> tuple[dict[str, Snapshot], tuple[Change, ...]]:
    """The snapshots that can be read, and what is not as the set's manifest names it."""
    found: dict[str, Snapshot] = {}
    changes: list[Change] = []
    for source, version in training_set.snapshots.items():
        try:
            found[source] = snapshots.read_snapshot(work.lake, version)
        except (NotFound, CorruptArtefact) as error:
            changes.append(Change("snapshot", version, error.message, source))
            continue
        changes += _segments(work, found[source])
    return found, tuple(changes)


def _segments(work: Workspace, snapshot: Snapshot) -> Iterator[Change]:
    for segment in snapshot.segments:
        path = work.lake.path(segment.digest, snapshots.SEGMENT)
        now = sha256_of(path) if path.exists() else "gone"
        if now != segment.digest:
            yield Change("segments", segment.digest, now, snapshot.source)
    if snapshot.reference is None:
        return
    try:
        snapshots.check_segments(work.lake, snapshot)
    except NotFound as error:
        yield Change("snapshot", f"version {snapshot.reference.version}", error.message, snapshot.source)


def _own_file(work: Workspace, training_set: TrainingSet) -> Iterator[Change]:
    path = work.lake.path(training_set.digest, snapshots.SEGMENT)
    now = sha256_of(path) if path.exists() else "gone"
    if now != training_set.digest:
        yield Change("file", training_set.digest, now)


def _makers(training_set: TrainingSet) -> tuple[Change, ...]:
    """Where every file is as it was, what reads and computes them may be another."""
    made = (
        Change("code", training_set.code, code_version()),
        Change("engine", training_set.engine, engine_version()),
    )
    return tuple(change for change in made if change.before != change.now)


def _again(work: Workspace, training_set: TrainingSet, found: dict[str, Snapshot]) -> pa.Table:
    with snapshots.engine(work.lake) as connection:
        for snapshot in found.values():
            columns = [column.name for column in snapshot.columns]
            connection.execute(relations.loading_sql(work.lake, snapshot, columns))
        for statement in training_set.sql.split(BETWEEN):
            connection.execute(statement)
        return connection.sql(ORDERED).to_arrow_table()


def _kept(work: Workspace, training_set: TrainingSet) -> pa.Table | None:
    """The rows as they were kept; None where their file cannot be read any more."""
    import pyarrow as pa

    try:
        return training_rows(work, training_set)
    except (OSError, pa.ArrowException):
        return None
