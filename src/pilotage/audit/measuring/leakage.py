"""Figures on leakage: what became known only after the decision, and what tells outcomes too well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pilotage.audit.measured.leakage import Dominance, LateColumns, LeakageFigures, Separation, Twins
from pilotage.audit.measuring.identifiers import measure_identifiers
from pilotage.audit.measuring.joins import measure_joins
from pilotage.audit.measuring.later_dates import measure_later_dates
from pilotage.audit.measuring.reference import held_out_auc, later_auc
from pilotage.audit.measuring.rule_columns import read_alone, separations_of
from pilotage.audit.measuring.sample import Sample, Vector
from pilotage.audit.measuring.separation import INPUT, Compared, beside_the_case, entity_of, sources_with_entity
from pilotage.audit.measuring.skill import Floats
from pilotage.audit.rules.lineage import with_derived
from pilotage.data.records import Snapshot
from pilotage.data.rules.keys import as_text
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Given

if TYPE_CHECKING:
    import duckdb

ROWS_MAX = 500_000
DOMINANT_AUC = 0.75
DOMINANT_LEAD = 0.1


def measure_leakage(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    found: dict[str, Snapshot],
    sample: Sample,
    compared: Compared,
    expected: Floats | None,
    twins: Twins,
) -> LeakageFigures:
    """What became known late, and what separates too well: sources with the entity, inputs, what the rule reads."""
    read = read_alone(connection, definition, sample)
    of_rule = separations_of(read, sample)
    return LeakageFigures(
        late=tuple(measure_late(connection, definition, found[n]) for n in sources_with_entity(definition, found)),
        separations=tuple(compared.separations),
        dominance=measure_dominance(definition, sample, compared.separations),
        of_rule=of_rule,
        rule_dominance=_dominant_of_rule(definition, sample, compared.separations, read, of_rule),
        identifiers=measure_identifiers(connection, definition, sample, expected),
        joins=measure_joins(connection, definition, sample),
        twins=twins,
        dates=measure_later_dates(connection, definition) if has_moments(definition) else (),
        sampled=sample.sampled,
    )


def measure_late(connection: duckdb.DuckDBPyConnection, definition: Definition, snapshot: Snapshot) -> LateColumns:
    """The share of a source's rows that became known after the decision on the same entity."""
    source = definition.use_case.sources[snapshot.source]
    entity, theirs = quoted(definition.plan.entity), quoted(entity_of(definition, snapshot))
    own = as_text(f"r.{theirs}")
    decisions = connection.execute("SELECT count(*) FROM spine").fetchall()[0][0]
    every = max(1, -(-decisions // ROWS_MAX))
    share = connection.execute(
        f"SELECT avg(CAST(r.{quoted(source.known_at)} > s._moment AS INTEGER)) FROM spine s "
        f"JOIN {quoted(snapshot.source)} r ON {own} = s.{entity} "
        f"WHERE hash(s.{entity}) % {every} = 0 AND hash({own}) % {every} = 0"
    ).fetchall()[0][0]
    columns = tuple(column.name for column in beside_the_case(definition, snapshot))
    return LateColumns(snapshot.source, columns, share or 0.0, ROWS_MAX if every > 1 else 0)


def measure_dominance(definition: Definition, sample: Sample, separations: list[Separation]) -> Dominance | None:
    """The best of the columns that come with the case, where it stands out: against all others together.

    Looked-up columns have clocks of their own that were heeded. What comes with the case has only the clock of its
    row, and a row may have been written over since. Where decisions have no moment nothing is later than anything: then
    each is judged by models that did not see it.
    """
    of_inputs = {s.column: s.auc for s in separations if s.source == INPUT}
    own = {column.name for column in definition.plan.columns if isinstance(column, Given)}
    best = max(own & set(of_inputs), key=lambda name: of_inputs[name], default="")
    if not best or of_inputs[best] < DOMINANT_AUC:
        return None
    alone = next(vector for vector in sample.inputs if vector.name == best)
    return _against_others(definition, sample, alone, of_inputs[best], of_inputs)


def _dominant_of_rule(
    definition: Definition,
    sample: Sample,
    separations: list[Separation],
    read: Sequence[Vector],
    of_rule: Sequence[Separation],
) -> Dominance | None:
    """The same of the best column that the rule reads and no input takes, against all inputs together."""
    best = max(zip(of_rule, read, strict=True), key=lambda pair: pair[0].auc, default=None)
    if best is None or best[0].auc < DOMINANT_AUC:
        return None
    of_inputs = {s.column: s.auc for s in separations if s.source == INPUT}
    return _against_others(definition, sample, best[1], best[0].auc, of_inputs)


def _against_others(
    definition: Definition, sample: Sample, best: Vector, auc: float, of_inputs: Mapping[str, float]
) -> Dominance | None:
    same = with_derived(definition.plan, {best.name})
    others = [vector for vector in sample.inputs if vector.name not in same]
    next_best = max((of_inputs[vector.name] for vector in others), default=0.5)
    if auc - next_best < DOMINANT_LEAD:
        return None
    judged = later_auc if has_moments(definition) else held_out_auc
    return Dominance(best.name, judged(sample, [best]), next_best, judged(sample, others), has_moments(definition))


def has_moments(definition: Definition) -> bool:
    """Whether it is known when past decisions were taken; of a static source it is not."""
    decision = definition.use_case.decision
    return bool(decision.moment) or not definition.use_case.sources[decision.source].is_static
