"""Columns against the label: each input, and each column of the sources that have the entity, their clocks ignored.

The clocks say when a value could be known, but clocks can be wrong: a nightly job that stamps yesterday's date makes
tomorrow's values look old. So each column is also measured against the label without regard to its clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pilotage.audit.measured.label import MissingByLabel
from pilotage.audit.measured.leakage import Separation
from pilotage.audit.measuring.cuts import best_cut
from pilotage.audit.measuring.missing import missing_by_label
from pilotage.audit.measuring.sample import Sample, Vector, read_vectors
from pilotage.audit.measuring.skill import Flags, auc, binned, rates_of_the_other_half
from pilotage.audit.rules.lineage import entity_column
from pilotage.data.records import FoundColumn, Snapshot
from pilotage.data.rules.keys import as_text
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expansion import source_columns
from pilotage.usecase.rules.expressions import columns_of

if TYPE_CHECKING:
    import duckdb

INPUT, RULE = "inputs", "rule"
WITNESSES_MAX = 40
WITNESS_AUC = 0.6


@dataclass
class Compared:
    """What was found column by column; ``witnesses`` are the columns that tell most of the label in hindsight."""

    separations: list[Separation] = field(default_factory=list)
    missing: list[MissingByLabel] = field(default_factory=list)
    witnesses: list[tuple[float, Vector]] = field(default_factory=list)


def compare_columns(
    connection: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot], sample: Sample
) -> Compared:
    """Every input and every column beside a case, against the label."""
    compared = Compared()
    if not sample.has_both:
        return compared
    everywhere = np.ones(sample.rows, np.bool_)
    _compare(compared, INPUT, sample, sample.inputs, everywhere)
    for name in sources_with_entity(definition, found):
        _compare_source(compared, connection, definition, found[name], sample)
    compared.witnesses = sorted(compared.witnesses, key=lambda pair: -pair[0])[:WITNESSES_MAX]
    return compared


def entity_of(definition: Definition, snapshot: Snapshot) -> str:
    """The column of a source that names the decision's own case, empty where none does."""
    return entity_column(definition, snapshot.source, {column.name for column in snapshot.columns})


def sources_with_entity(definition: Definition, found: dict[str, Snapshot]) -> list[str]:
    """The sources whose rows belong to one decision each."""
    return [name for name, snapshot in found.items() if entity_of(definition, snapshot)]


def beside_the_case(definition: Definition, snapshot: Snapshot) -> list[FoundColumn]:
    """Columns that could be taken as inputs: not keys, what the app sends, or the ground truth itself."""
    use_case = definition.use_case
    source = use_case.sources[snapshot.source]
    own = {definition.plan.entity, entity_of(definition, snapshot)}
    left_out = {*source.key, *own, source.known_at, *source_columns(use_case).values()}
    if snapshot.source == use_case.outcome.source:
        left_out |= columns_of(use_case.outcome.expression)
    return [column for column in snapshot.columns if column.name not in left_out]


def _compare_source(
    compared: Compared,
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    snapshot: Snapshot,
    sample: Sample,
) -> None:
    columns = beside_the_case(definition, snapshot)
    present = _join(connection, definition, snapshot, columns)
    elsewhere = snapshot.source not in (definition.use_case.decision.source, definition.use_case.outcome.source)
    if elsewhere:
        there = Vector("", "flag", present.astype(np.float64))
        compared.separations.append(separation(snapshot.source, there, sample.labels))
    moments = sample.moments
    numbered = [FoundColumn(f"c{number}", c.type, c.engine_type) for number, c in enumerate(columns)]
    names = {f"c{number}": column.name for number, column in enumerate(columns)}
    for part in read_vectors(connection, "_joined", numbered, moments):
        vectors = [replace(vector, name=names[vector.name]) for vector in part]
        _compare(compared, snapshot.source, sample, vectors, present, elsewhere)


def _join(
    connection: duckdb.DuckDBPyConnection, definition: Definition, snapshot: Snapshot, columns: Sequence[FoundColumn]
) -> Flags:
    """Make ``_joined``: per decision of the sample the source's newest row; which decisions have one."""
    source = definition.use_case.sources[snapshot.source]
    entity = quoted(entity_of(definition, snapshot))
    taken = "".join(f", r.{quoted(column.name)} AS c{number}" for number, column in enumerate(columns))
    newest = ", ".join(
        f"r.{quoted(name)} DESC" for name in dict.fromkeys([source.known_at, source.event_time, *source.key])
    )
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _joined AS
    WITH newest AS (
      SELECT t._nth AS _of{taken} FROM {quoted(snapshot.source)} r
      JOIN _sample t ON {as_text(f"r.{entity}")} = t._entity
      QUALIFY row_number() OVER (PARTITION BY t._nth ORDER BY {newest}) = 1
    )
    SELECT t._nth, newest.* FROM (SELECT _nth FROM _sample) t LEFT JOIN newest ON newest._of = t._nth""")
    there = connection.sql("SELECT _of IS NOT NULL AS there FROM _joined ORDER BY _nth").to_arrow_table()
    present: Flags = there["there"].to_numpy().astype(np.bool_)
    return present


def _compare(
    compared: Compared,
    source: str,
    sample: Sample,
    vectors: Sequence[Vector],
    present: Flags,
    elsewhere: bool = False,
) -> None:
    """Columns of a source among the decisions that have a row of it.

    What agrees with the label to the last row is a second witness only if it is kept elsewhere; else it is a copy.
    """
    labels = sample.labels[present]
    for vector in vectors:
        here = vector if present.all() else _where(vector, present)
        found = separation(source, here, labels)
        compared.separations.append(found)
        missing = missing_by_label(source, here, labels, sample)
        if missing is not None:
            compared.missing.append(missing)
        if found.auc >= WITNESS_AUC and source != INPUT and (found.agreement < 1 or elsewhere):
            compared.witnesses.append((found.auc, vector))


def _where(vector: Vector, rows: Flags) -> Vector:
    numbers = None if vector.numbers is None else vector.numbers[rows]
    return replace(vector, numbers=numbers, codes=None if vector.codes is None else vector.codes[rows])


def separation(source: str, vector: Vector, labels: Flags) -> Separation:
    """How well one column tells the outcomes.

    By rank where it has one, and by the rates of its values in the other half: so the middle shows, too.
    """
    if not len(labels) or labels.all() or not labels.any():
        return Separation(source, vector.name, 0.5, len(labels))
    best = 0.5
    if vector.numbers is not None:
        known = vector.known
        area = auc(vector.numbers[known], labels[known])
        best = max(area, 1 - area)
        codes = binned(vector.numbers)
    else:
        codes = vector.codes + 1 if vector.codes is not None else np.zeros(len(labels), np.int64)
    area = auc(rates_of_the_other_half(codes, labels), labels)
    best = max(best, area)
    cut = best_cut(vector, labels) if best > 0.8 else None
    rate = float(labels.mean())
    baseline = max(rate, 1 - rate)
    if cut is None:
        return Separation(source, vector.name, best, len(labels), baseline, baseline)
    return Separation(source, vector.name, best, len(labels), cut[0], baseline, cut[1])
