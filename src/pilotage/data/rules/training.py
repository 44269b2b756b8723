"""The SQL of a training set: one row per decision that was or would have been taken, with what was known by then.

The script reads one relation per source (all versions of its rows, named as the source, with our columns ``_known_at``
and ``_deleted``) and leaves the table ``training_set``. Names beginning with an underscore are ours; a use-case file
cannot declare such names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from pilotage.data.rules.keys import as_text
from pilotage.data.rules.marks import DELETED, KNOWN_AT, newest_first
from pilotage.data.rules.needs import matures_seconds, needed_columns
from pilotage.data.rules.timelines import SourceFacts, Timeline, cast, history_sql, timeline_sql, timelines
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Derived, Latest, Plan, UseCase, Window
from pilotage.usecase.rules.expansion import request_columns, source_columns
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


def spine_sql(use_case: UseCase, outcomes_known_to: datetime, deletions: bool) -> str:
    """The decisions: per entity its newest row, as known at the decision's own moment, old enough to have matured.

    Where the source has ``deletions``, a key that was deleted by the moment of its newest row is no decision.
    """
    decision = use_case.decision
    source = use_case.sources[decision.source]
    entity = quoted(decision.entity)
    names = source_columns(use_case)
    request = "".join(
        f",\n         {cast(quoted(names[name]), column.kind)} AS {quoted(name)}"
        for name, column in request_columns(use_case).items()
        if name != decision.entity
    )
    where = f"({to_sql(decision.where)})" if decision.where else "true"
    ties = newest_first(quoted(name) for name in [source.event_time, *source.key, *names.values()])
    moment, rows_of = _moment(use_case), _rows_of(use_case)
    mature = f"TIMESTAMP '{as_utc(outcomes_known_to):%Y-%m-%d %H:%M:%S.%f}' - to_seconds({matures_seconds(use_case)})"
    rows = f"""SELECT *, CAST({moment} AS TIMESTAMP) AS _moment FROM {rows_of}
), known AS (
  SELECT * FROM moments WHERE {KNOWN_AT} <= _moment AND {entity} IS NOT NULL"""
    if deletions:
        key = ", ".join(quoted(name) for name in source.key)
        rows = f"""SELECT *, CAST({moment} AS TIMESTAMP) AS _moment, min({KNOWN_AT}) FILTER ({DELETED}) OVER (
    PARTITION BY {key} ORDER BY {KNOWN_AT}, {DELETED} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS _gone_at
  FROM {rows_of}
), by_key AS (
  SELECT * FROM moments WHERE NOT {DELETED} AND {KNOWN_AT} <= _moment AND {entity} IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {ties}) = 1
), known AS (
  SELECT * FROM by_key WHERE _gone_at IS NULL OR _gone_at > _moment"""
    return f"""CREATE TABLE spine AS
WITH moments AS (
  {rows}
), newest AS (
  SELECT * FROM known QUALIFY row_number() OVER (PARTITION BY {entity} ORDER BY {ties}) = 1
)
SELECT {as_text(entity)} AS {entity}, _moment{request}
FROM newest WHERE {where} AND _moment <= {mature}"""


def moments_sql(use_case: UseCase) -> str:
    """How many rows the decision's source has, how many are known after their own moment, how many fulfil `where`."""
    decision = use_case.decision
    where = f"({to_sql(decision.where)})" if decision.where else "true"
    return (
        f"SELECT count(*), count(*) FILTER ({KNOWN_AT} > CAST({_moment(use_case)} AS TIMESTAMP)), "
        f"count(*) FILTER ({where}) FROM {_rows_of(use_case)} WHERE NOT {DELETED}"
    )


def _moment(use_case: UseCase) -> str:
    decision = use_case.decision
    return to_sql(decision.moment) if decision.moment else quoted(use_case.sources[decision.source].event_time)


def _rows_of(use_case: UseCase) -> str:
    """The rows of the decision's source, with the names that the request has."""
    names = source_columns(use_case)
    renamed = "".join(f", {quoted(column)} AS {quoted(name)}" for name, column in names.items() if name != column)
    source = quoted(use_case.decision.source)
    return f"(SELECT *{renamed} FROM {source})" if renamed else source


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
        f",\n       {_value(line, column)} AS {quoted(column.name)}" for line in lines for column in line.columns
    )
    joins = "".join(
        f"\n  ASOF LEFT JOIN {line.name} ON {_same_key(line)} AND s._moment >= {line.name}._from" for line in lines
    )
    return f"CREATE TABLE assembled AS\nSELECT s.*{values}\nFROM spine s{joins}"


def _same_key(line: Timeline) -> str:
    return " AND ".join(f"s.{quoted(by)} = {line.name}._by_{n}" for n, by in enumerate(line.by, 1))


def _value(line: Timeline, column: Latest | Window) -> str:
    value = f"{line.name}.{quoted(column.name)}"
    if isinstance(column, Latest):
        oldest = f"s._moment - to_seconds({column.within_seconds})"
        return f"CASE WHEN {line.name}._event_time >= {oldest} THEN {value} END"
    if column.aggregate in {"count", "distinct"}:
        known = " AND ".join(f"s.{quoted(by)} IS NOT NULL" for by in line.by)
        return f"CASE WHEN {known} THEN coalesce({value}, 0) END"
    return value


def _training_set(definition: Definition) -> str:
    """Derived columns on top of each other, then the rule and the label."""
    use_case, plan = definition.use_case, definition.plan
    relation = "assembled"
    for column in plan.columns:
        if isinstance(column, Derived):
            value = cast(f"({to_sql(column.expression)})", column.kind)
            relation = f"(SELECT *, {value} AS {quoted(column.name)} FROM {relation})"
    chosen = "".join(f", {quoted(name)}" for name in plan.names)
    return f"""CREATE TABLE training_set AS
SELECT {quoted(plan.entity)} AS entity, _moment AS moment{chosen},
       CAST(({to_sql(use_case.rule.positive)}) AS BOOLEAN) AS rule, _label AS label
FROM {relation} LEFT JOIN labels ON {quoted(plan.entity)} = _entity
ORDER BY moment, entity"""
