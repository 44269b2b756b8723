"""What the rule reads of a case and no input takes, against the label: a rule that peeks cannot be compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.leakage import Separation
from pilotage.audit.measuring.sample import TYPES, Sample, Vector, read_vectors
from pilotage.audit.measuring.separation import RULE, separation
from pilotage.audit.rules.lineage import read_by_rule
from pilotage.data.records import FoundColumn
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def read_alone(connection: duckdb.DuckDBPyConnection, definition: Definition, sample: Sample) -> tuple[Vector, ...]:
    """These columns of the sampled decisions; what is looked up is as of the decision, and among the inputs."""
    plan = definition.plan
    wanted = sorted(read_by_rule(definition) & set(plan.request) - {*plan.names, plan.entity})
    columns = [FoundColumn(name, TYPES[plan.request[name].kind], "") for name in wanted if _is_short(definition, name)]
    if not columns or not sample.has_both:
        return ()
    taken = ", ".join(f"s.{quoted(column.name)}" for column in columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW _ruled AS SELECT t._nth, {taken} FROM _sample t "
        f"JOIN spine s ON s.{quoted(plan.entity)} = t._entity"
    )
    return tuple(vector for part in read_vectors(connection, "_ruled", columns, sample.moments) for vector in part)


def _is_short(definition: Definition, name: str) -> bool:
    """Free text is no category: nearly each has its own."""
    return definition.plan.request[name].kind != "text"


def separations_of(vectors: tuple[Vector, ...], sample: Sample) -> tuple[Separation, ...]:
    """How well each alone orders the outcomes."""
    return tuple(separation(RULE, vector, sample.labels) for vector in vectors)
