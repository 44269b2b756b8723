"""The SQL of a training set: one row per decision that was or would have been taken, with what was known by then.

The script reads one relation per source (all versions of its rows, named as the source, with our columns ``_known_at``
and ``_deleted``) and leaves the table ``training_set``. Names beginning with an underscore are ours; a use-case file
cannot declare such names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from pilotage.data.rules.keys import as_text
from pilotage.data.rules.marks import DELETED, newest_first
from pilotage.data.rules.needs import needed_columns
from pilotage.data.rules.spine import spine_sql
from pilotage.data.rules.timelines import SourceFacts, Timeline, cast, history_sql, timeline_sql, timelines, value_sql
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Derived, Plan, UseCase
from pilotage.usecase.rules.expressions import to_sql


def training_script(
    definition: Definition,
    facts: Mapping[str, SourceFacts],
    with_deletions: Collection[str],
    outcomes_known_to: datetime,
) -> list[str]:
    """The statements that make ``training_set``, in order."""
    use_case, plan = definition.use_case, definition.plan
    return [
        spine_sql(use_case, outcomes_known_to, use_case.decision.source in with_deletions),
        *column_script(definition, facts),
        _labels(use_case, use_case.outcome.source in with_deletions),
        _assembled(plan),
        _training_set(definition),
    ]


def column_script(definition: Definition, facts: Mapping[str, SourceFacts]) -> list[str]:
    """The statements that make the histories and timelines: the same for training and live."""
    needed = needed_columns(definition)
    lines = timelines(definition.plan)
    sources = dict.fromkeys(line.source for line in lines)
    histories = [history_sql(name, definition.use_case.sources[name], needed[name], facts[name]) for name in sources]
    return histories + [timeline_sql(line, facts[line.source]) for line in lines]


def _labels(use_case: UseCase, deletions: bool) -> str:
    """The newest outcome of each entity. It may be known after the decision: that is what is to be predicted.

    Where the source has ``deletions``, an outcome that was deleted is none.
    """
    source = use_case.sources[use_case.outcome.source]
    entity, place = quoted(use_case.decision.entity), quoted(use_case.outcome.source)
    positive = to_sql(use_case.outcome.positive)
    ties = newest_first([*(quoted(name) for name in [source.event_time, *source.key]), f"({positive})"])
    if deletions:
        key = ", ".join(quoted(name) for name in source.key)
        newest = f"SELECT * FROM {place} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {ties}) = 1"
        place = f"({newest})"
    return f"""CREATE TABLE labels AS
WITH newest AS (
  SELECT * FROM {place} WHERE {entity} IS NOT NULL AND NOT {DELETED}
  QUALIFY row_number() OVER (PARTITION BY {entity} ORDER BY {ties}) = 1
)
SELECT {as_text(entity)} AS _entity, CAST(({positive}) AS BOOLEAN) AS _label FROM newest"""


def _assembled(plan: Plan) -> str:
    """Each decision beside the state of every timeline at its moment."""
    lines = timelines(plan)
    values = "".join(
        f",\n       {value_sql(line, column, 's', 's._moment')} AS {quoted(column.name)}"
        for line in lines
        for column in line.columns
    )
    joins = "".join(
        f"\n  ASOF LEFT JOIN {line.name} ON {_same_key(line)} AND s._moment >= {line.name}._from" for line in lines
    )
    return f"CREATE TABLE assembled AS\nSELECT s.*{values}\nFROM spine s{joins}"


def _same_key(line: Timeline) -> str:
    return " AND ".join(f"s.{quoted(by)} = {line.name}._by_{n}" for n, by in enumerate(line.by, 1))


def _training_set(definition: Definition) -> str:
    """Derived columns on top of each other, then the rule and the label."""
    use_case, plan = definition.use_case, definition.plan
    relation = "assembled"
    kinds = {name: column.kind for name, column in plan.request.items()} | {c.name: c.kind for c in plan.columns}
    for column in plan.columns:
        if isinstance(column, Derived):
            value = cast(f"({to_sql(column.expression, kinds=kinds)})", column.kind)
            relation = f"(SELECT *, {value} AS {quoted(column.name)} FROM {relation})"
    chosen = "".join(f", {quoted(name)}" for name in plan.names)
    return f"""CREATE TABLE training_set AS
SELECT {quoted(plan.entity)} AS entity, _moment AS moment{chosen},
       CAST(({to_sql(use_case.rule.positive, kinds=kinds)}) AS BOOLEAN) AS rule, _label AS label
FROM {relation} LEFT JOIN labels ON {quoted(plan.entity)} = _entity
ORDER BY moment, entity"""
