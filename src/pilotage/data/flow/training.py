"""Training sets: built from the current snapshots, kept in the lake with a manifest of what they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.data import relations, snapshots, store
from pilotage.data.engines import spark
from pilotage.data.fingerprint import fingerprint
from pilotage.data.flow import distributing
from pilotage.data.flow.contracting import check_before_training
from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.flow.undecided import why_none
from pilotage.data.records import Engine, Exclusion, Label, Snapshot, Spine, TrainingSet
from pilotage.data.rules.needs import needed_columns
from pilotage.data.rules.outcomes import CLASSES_SQL, QUANTILES_SQL
from pilotage.data.rules.spine import exclusions, exclusions_sql, spine_sql
from pilotage.data.rules.training import training_script
from pilotage.platform.code_version import code_version
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.identifiers import new_id
from pilotage.platform.quoting import literal
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ORDERED = "SELECT * FROM training_set ORDER BY moment, entity"
_COUNTS = """
SELECT count(*), count(label), min(moment), max(moment), (SELECT count(*) FROM spine)
FROM training_set
"""


def build(work: Workspace, definition: Definition, engine: Engine = "duckdb") -> TrainingSet:
    """Build the training set of the current snapshots and keep the evidence: rows in, rows out, fingerprint.

    On Spark, lookups and windows are made there; decisions, outcomes and what is derived stay in the embedded engine.

    Raises:
        SettingsError: Spark is wanted and cannot be started.
        EvidenceMissing: a source was never synced, no decision is old enough to have an outcome, or
            ``decision.judged`` holds for none or for each of them.
    """
    found = current_snapshots(work, definition)
    now = work.clock.now()
    known_to = found[definition.use_case.outcome.source].known_to or now
    with snapshots.engine(work.lake) as connection:
        check_before_training(work, definition, connection, found)
        statements = _prepare(connection, work, definition, found, known_to)
        if engine == "spark":
            distributing.make(connection, work, definition, found, statements[0])
        else:
            for statement in statements:
                connection.execute(statement)
        counts = connection.execute(_COUNTS).fetchall()[0]
        if not counts[0]:
            raise EvidenceMissing(*why_none(connection, definition, known_to))
        rows_in, excluded = _left_out(connection, definition, known_to)
        told = _told(connection, definition)
        _demand_both_parts(definition, told.judged, counts[0])
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
        positives=told.positives,
        moment_from=counts[2].replace(tzinfo=UTC),
        moment_to=counts[3].replace(tzinfo=UTC),
        known_to=known_to,
        made_at=now,
        plan=definition.plan.fingerprint,
        spine=_spine(definition),
        label=_label(definition),
        rows_in=rows_in,
        excluded=excluded,
        engine=engine_version(engine),
        classes=told.classes,
        distinct=told.distinct,
        quantiles=told.quantiles,
        decided=told.decided,
        judged=told.judged,
    )
    _account(built, decisions=counts[4])
    with work.database.writing() as control:
        store.add_training_set(control, built)
    keep_evidence(work, definition, "training_set", manifest(built))
    return built


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


BETWEEN = ";\n\n"


def _text(statements: list[str]) -> str:
    return BETWEEN.join(statements)


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
    print_ = fingerprint(connection.sql(ORDERED).to_arrow_table())
    with work.lake.writing() as path:
        snapshots.copy_sorted(connection, ORDERED, path)
        digest, _ = work.lake.keep(path, snapshots.SEGMENT)
    return digest, print_


def _left_out(
    connection: duckdb.DuckDBPyConnection, definition: Definition, known_to: datetime
) -> tuple[int, dict[Exclusion, int]]:
    """The rows of the decision's source, and those of them that are no decisions, by reason."""
    use_case = definition.use_case
    deletions = use_case.decision.source in relations.with_deletions(connection, definition)
    counts = connection.execute(exclusions_sql(use_case, known_to, deletions)).fetchall()[0]
    return exclusions(counts, deletions)


def _spine(definition: Definition) -> Spine:
    decision = definition.use_case.decision
    return Spine(decision.entity, decision.source, decision.moment, decision.where)


def _label(definition: Definition) -> Label:
    outcome, human = definition.use_case.outcome, definition.use_case.human
    people = (human.source, human.decided) if human else ("", "")
    return Label(outcome.source, outcome.expression, outcome.matures, outcome.kind, *people)


class _Told(Struct, frozen=True):
    """What the known outcomes of a set are, as its manifest says it."""

    positives: int | None = None
    classes: dict[str, int] = {}
    distinct: int | None = None
    quantiles: tuple[float, ...] = ()
    decided: int | None = None
    judged: int | None = None


def _told(connection: duckdb.DuckDBPyConnection, definition: Definition) -> _Told:
    use_case = definition.use_case
    decided = _count(connection, "human IS NOT NULL") if use_case.human else None
    judged = _count(connection, "judged") if use_case.decision.judged else None
    if use_case.kind == "flag":
        return _Told(positives=_count(connection, "label"), decided=decided, judged=judged)
    if use_case.kind == "number":
        quantiles = tuple(connection.execute(QUANTILES_SQL).fetchall()[0][0] or ())
        return _Told(quantiles=quantiles, decided=decided, judged=judged)
    rows = connection.execute(CLASSES_SQL).fetchall()
    classes = {name: count for name, count, _ in rows}
    return _Told(classes=classes, distinct=rows[0][2] if rows else 0, decided=decided, judged=judged)


def _count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    """How many rows of the training set fulfil a condition."""
    return int(connection.execute(f"SELECT count(*) FILTER (WHERE {condition}) FROM training_set").fetchall()[0][0])


def _demand_both_parts(definition: Definition, judged: int | None, rows: int) -> None:
    """Candidates learn from some rows and are judged on others: of a declared split, each part has rows."""
    if judged in (0, rows):
        which = "None" if judged == 0 else "Each"
        raise EvidenceMissing(
            f"{which} of the {rows:,} decisions fulfils `decision.judged` ({definition.use_case.decision.judged}).",
            "Correct it: it tells the rows that judge candidates from those that they learn from.",
        )


def _account(built: TrainingSet, decisions: int) -> None:
    """Every row that went in came out once, or was left out for one reason."""
    if decisions != built.rows:
        raise AssertionError(f"{decisions} decisions went in and {built.rows} rows came out")
    left_out = sum(built.excluded.values())
    if built.rows_in != built.rows + left_out:
        raise AssertionError(f"of {built.rows_in} rows {built.rows} are decisions and {left_out} were left out")


def manifest(built: TrainingSet) -> dict[str, object]:
    """What a training set stands on and what was left out of it, as kept with the evidence."""
    return {
        "training_set": built.id,
        "rows_in": built.rows_in,
        "rows_out": built.rows,
        "excluded": built.excluded,
        "labelled": built.labelled,
        "without_outcome": built.without_outcome,
        "positives": built.positives,
        "classes": built.classes,
        "distinct": built.distinct,
        "quantiles": built.quantiles,
        "decided": built.decided,
        "judged": built.judged,
        "snapshots": built.snapshots,
        "plan": built.plan,
        "spine": built.spine,
        "label": built.label,
        "known_to": built.known_to,
        "seed": built.seed,
        "code": built.code,
        "engine": built.engine,
        "fingerprint": built.fingerprint,
        "digest": built.digest,
    }


def engine_version(engine: Engine = "duckdb") -> str:
    """The engine that makes the rows, such as ``duckdb 1.4.1``."""
    import duckdb

    if engine == "spark":
        return spark.version()

    return f"duckdb {duckdb.__version__}"
