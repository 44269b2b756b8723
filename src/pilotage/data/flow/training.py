"""Training sets: built from the current snapshots, kept in the lake, rebuilt to prove that they can be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilotage.data import relations, snapshots, store
from pilotage.data.fingerprint import fingerprint
from pilotage.data.flow.contracting import check_before_training
from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.flow.undecided import why_none
from pilotage.data.records import Snapshot, TrainingSet
from pilotage.data.rules.needs import needed_columns
from pilotage.data.rules.training import spine_sql, training_script
from pilotage.platform.code_version import code_version
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.identifiers import new_id
from pilotage.platform.lake import sha256_of
from pilotage.platform.quoting import literal
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ORDERED = "SELECT * FROM training_set ORDER BY moment, entity"
_COUNTS = """
SELECT count(*), count(label), count(*) FILTER (label), min(moment), max(moment), (SELECT count(*) FROM spine)
FROM training_set
"""


def build(work: Workspace, definition: Definition) -> TrainingSet:
    """Build the training set of the current snapshots and keep the evidence: rows in, rows out, fingerprint.

    Raises:
        EvidenceMissing: a source was never synced, or no decision is old enough to have an outcome.
    """
    found = current_snapshots(work, definition)
    now = work.clock.now()
    known_to = found[definition.use_case.outcome.source].known_to or now
    with snapshots.engine(work.lake) as connection:
        check_before_training(work, definition, connection, found)
        statements = _prepare(connection, work, definition, found, known_to)
        for statement in statements:
            connection.execute(statement)
        counts = connection.execute(_COUNTS).fetchall()[0]
        if not counts[0]:
            raise EvidenceMissing(*why_none(connection, definition, known_to))
        digest, print_ = _keep(connection, work)
    built = TrainingSet(
        id=new_id("set", now),
        use_case=definition.name,
        definition=definition.substance,
        code=code_version(),
        snapshots=_versions(found),
        sql=_text(statements),
        digest=digest,
        fingerprint=print_,
        rows=counts[0],
        labelled=counts[1],
        positives=counts[2],
        moment_from=counts[3].replace(tzinfo=UTC),
        moment_to=counts[4].replace(tzinfo=UTC),
        known_to=known_to,
        made_at=now,
    )
    _remember(work, definition, built, rows_in=counts[5])
    return built


def verify_training_set(work: Workspace, training_set: TrainingSet) -> bool:
    """Whether the same snapshots and the same SQL give the same rows again, and the kept file still has its bytes.

    Raises:
        CorruptArtefact: a segment's bytes were changed.
    """
    with snapshots.engine(work.lake) as connection:
        for version in training_set.snapshots.values():
            found = snapshots.read_snapshot(work.lake, version)
            snapshots.check_segments(work.lake, found)
            columns = [column.name for column in found.columns]
            connection.execute(relations.loading_sql(work.lake, found, columns))
        for statement in training_set.sql.split(_BETWEEN):
            connection.execute(statement)
        again = fingerprint(connection.sql(_ORDERED).to_arrow_table())
    kept = work.lake.path(training_set.digest, snapshots.SEGMENT)
    return again == training_set.fingerprint and kept.exists() and sha256_of(kept) == training_set.digest


def prove(work: Workspace, definition: Definition, training_set: TrainingSet) -> bool:
    """Rebuild a training set from its snapshots, and keep as evidence whether it came out the same."""
    same = verify_training_set(work, training_set)
    keep_evidence(work, definition, "training_set", {**_evidence(training_set), "recreated": same})
    return same


@contextmanager
def assembled(
    work: Workspace, definition: Definition, found: dict[str, Snapshot]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with each source (all columns and versions), the ``spine`` of decisions and the ``training_set``.

    A source is a view over its files: the snapshot's columns, ``_known_at``, ``_deleted`` (true in rows that say that
    their key is gone, with little else in them), and of a static source ``_seen_at``.

    The rows of the training set built last are taken when it stands on the same file and snapshots.
    """
    known_to = found[definition.use_case.outcome.source].known_to or work.clock.now()
    with work.database.reading() as control:
        built = store.latest_training_set(control, definition.name)
    with snapshots.engine(work.lake) as connection:
        for snapshot in found.values():
            columns = [column.name for column in snapshot.columns]
            connection.execute(relations.loading_sql(work.lake, snapshot, columns))
        if built and (built.definition, built.snapshots) == (definition.substance, _versions(found)):
            kept = literal(str(work.lake.path(built.digest, snapshots.SEGMENT)))
            deletions = relations.with_deletions(connection, definition)
            decisions = spine_sql(definition.use_case, known_to, definition.use_case.decision.source in deletions)
            connection.execute(decisions)
            connection.execute(f"CREATE TABLE training_set AS SELECT * FROM read_parquet({kept})")
        else:
            for statement in _script(connection, definition, known_to):
                connection.execute(statement)
        yield connection


def _versions(found: dict[str, Snapshot]) -> dict[str, str]:
    return {name: snapshot.version for name, snapshot in found.items()}


def latest_training_set(work: Workspace, use_case: str) -> TrainingSet:
    """The training set built last.

    Raises:
        EvidenceMissing: none was built.
    """
    with work.database.reading() as connection:
        found = store.latest_training_set(connection, use_case)
    if found is None:
        raise EvidenceMissing(f"{use_case} has no training set.", f"Run `pilotage build {use_case}` first.")
    return found


def training_rows(work: Workspace, training_set: TrainingSet) -> pa.Table:
    """The rows of a training set in order of moment and entity."""
    import pyarrow.parquet as pq

    return pq.read_table(work.lake.path(training_set.digest, snapshots.SEGMENT))


def script(work: Workspace, definition: Definition) -> str:
    """The SQL that a build would run now, with the paths of the snapshots' files: it runs in DuckDB as it is."""
    found = current_snapshots(work, definition)
    needed = needed_columns(definition)
    known_to = found[definition.use_case.outcome.source].known_to or work.clock.now()
    with snapshots.engine(work.lake) as connection:
        statements = _prepare(connection, work, definition, found, known_to)
    loading = [relations.loading_sql(work.lake, found[name], needed[name]) for name in found]
    return _text(["SET TimeZone = 'UTC'", *loading, *statements]) + ";"


_BETWEEN = ";\n\n"


def _text(statements: list[str]) -> str:
    return _BETWEEN.join(statements)


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    work: Workspace,
    definition: Definition,
    found: dict[str, Snapshot],
    known_to: datetime,
) -> list[str]:
    for snapshot in found.values():
        snapshots.check_segments(work.lake, snapshot)
    relations.load(connection, work.lake, definition, found, list(found))
    return _script(connection, definition, known_to)


def _script(connection: duckdb.DuckDBPyConnection, definition: Definition, known_to: datetime) -> list[str]:
    facts = relations.measure(connection, definition)
    return training_script(definition, facts, relations.with_deletions(connection, definition), known_to)


def _keep(connection: duckdb.DuckDBPyConnection, work: Workspace) -> tuple[str, str]:
    print_ = fingerprint(connection.sql(_ORDERED).to_arrow_table())
    with work.lake.writing() as path:
        snapshots.copy_sorted(connection, _ORDERED, path)
        digest, _ = work.lake.keep(path, snapshots.SEGMENT)
    return digest, print_


def _remember(work: Workspace, definition: Definition, built: TrainingSet, rows_in: int) -> None:
    if rows_in != built.rows:
        raise AssertionError(f"{rows_in} decisions went in and {built.rows} rows came out")
    with work.database.writing() as connection:
        store.add_training_set(connection, built)
    keep_evidence(work, definition, "training_set", {**_evidence(built), "rows_in": rows_in})


def _evidence(built: TrainingSet) -> dict[str, object]:
    return {
        "training_set": built.id,
        "rows_in": built.rows,
        "rows_out": built.rows,
        "labelled": built.labelled,
        "positives": built.positives,
        "fingerprint": built.fingerprint,
        "digest": built.digest,
        "snapshots": built.snapshots,
    }
