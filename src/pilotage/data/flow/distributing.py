"""The rows of a training set, with lookups and windows made on Spark."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilotage.data import relations
from pilotage.data.engines import spark
from pilotage.data.records import Snapshot
from pilotage.data.rules.direct import groups
from pilotage.data.rules.training import assembled_elsewhere, finishing_script
from pilotage.platform.processes import this_process
from pilotage.platform.quoting import literal
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def make(
    connection: duckdb.DuckDBPyConnection,
    work: Workspace,
    definition: Definition,
    found: Mapping[str, Snapshot],
    spine: str,
) -> None:
    """Leave ``spine`` and ``training_set`` in the connection, where the sources are relations already.

    ``spine`` is the statement that makes the decisions. They and Spark's answers are handed over as files in the
    lake's scratch directory, which are removed at the end.
    """
    plan = definition.plan
    connection.execute(spine)
    own = work.lake.spill.resolve() / f"{this_process()}.{secrets.token_hex(4)}"
    own.mkdir(parents=True)
    try:
        if groups(plan):
            asked, answers = own / "spine.parquet", own / "answers"
            columns = ", ".join(spark.spine_columns(definition))
            connection.execute(f"COPY (SELECT {columns} FROM spine) TO {literal(str(asked))} (FORMAT parquet)")
            with spark.session(work.settings.spark_master, own) as session:
                spark.write_columns(session, work.lake, definition, found, asked, answers)
            connection.execute(assembled_elsewhere(plan, f"read_parquet({literal(str(answers / '*.parquet'))})"))
        else:
            connection.execute("CREATE TABLE assembled AS SELECT * FROM spine")
        for statement in finishing_script(definition, relations.with_deletions(connection, definition)):
            connection.execute(statement)
    finally:
        shutil.rmtree(own, ignore_errors=True)
