"""The SQL of a training set: one row per decision that was or would have been taken, with what was known by then.

The script reads one relation per source (all versions of its rows, named as the source, with our columns ``_known_at``
and ``_deleted``) and leaves the table ``training_set``. Names beginning with an underscore are ours; a use-case file
cannot declare such names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from pilotage.data.rules.needs import groups, needed_columns
from pilotage.data.rules.outcomes import humans_sql, labels_sql, valued
from pilotage.data.rules.spine import GROUP, JUDGED, spine_sql
from pilotage.data.rules.timelines import SourceFacts, Timeline, cast, history_sql, timeline_sql, timelines, value_sql
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind, Definition, Derived, Latest, Plan, Window
from pilotage.usecase.rules.expressions import columns_of, to_sql


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
        _assembled(plan),
        *finishing_script(definition, with_deletions),
    ]


def finishing_script(definition: Definition, with_deletions: Collection[str]) -> list[str]:
    """The statements that make ``training_set`` of ``assembled``: the spine with its lookups and windows."""
    use_case = definition.use_case
    return [
        labels_sql(use_case, use_case.outcome.source in with_deletions),
        *([humans_sql(use_case, use_case.human.source in with_deletions)] if use_case.human else []),
        _training_set(definition),
    ]


def assembled_elsewhere(plan: Plan, answers: str) -> str:
    """``assembled`` of the relation ``answers``: entity, lookups and windows as another engine found them."""
    entity = quoted(plan.entity)
    values = "".join(
        f", {cast(f'a.{quoted(column.name)}', column.kind)} AS {quoted(column.name)}"
        for column in plan.columns
        if isinstance(column, (Latest, Window))
    )
    return f"CREATE TABLE assembled AS\nSELECT s.*{values}\nFROM spine s JOIN {answers} a ON s.{entity} = a.{entity}"


def inexact_columns(plan: Plan) -> frozenset[str]:
    """Columns whose last bits hang on the order in which an engine adds up, and what is derived from them."""
    inexact: set[str] = set()
    for column in plan.columns:
        adds_up = isinstance(column, Window) and column.aggregate in ("sum", "mean", "std")
        of_such = isinstance(column, Derived) and column.kind == "number" and columns_of(column.expression) & inexact
        if adds_up or of_such:
            inexact.add(column.name)
    return frozenset(inexact)


def column_script(definition: Definition, facts: Mapping[str, SourceFacts]) -> list[str]:
    """The statements that make the histories and timelines: the same for training and live."""
    needed = needed_columns(definition)
    lines = timelines(definition.plan)
    sources = dict.fromkeys(line.source for line in lines)
    histories = [history_sql(name, definition.use_case.sources[name], needed[name], facts[name]) for name in sources]
    return histories + [timeline_sql(line, facts[line.source]) for line in lines]


def columns_of_spine(definition: Definition, facts: Mapping[str, SourceFacts]) -> list[str]:
    """The statements that make the columns alone, for any table ``spine``: they leave them in ``columns``."""
    plan = definition.plan
    chosen = "".join(f", {quoted(name)}" for name in plan.names)
    made = f"SELECT {quoted(plan.entity)} AS entity, _moment AS moment{chosen} FROM {_with_derived(plan)}"
    return [*column_script(definition, facts), _assembled(plan), f"CREATE TABLE columns AS\n{made}"]


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


def _kinds(plan: Plan) -> dict[str, ColumnKind]:
    return {name: column.kind for name, column in plan.request.items()} | {c.name: c.kind for c in plan.columns}


def _with_derived(plan: Plan) -> str:
    """The assembled rows, with derived columns on top of each other."""
    kinds, relation = _kinds(plan), "assembled"
    for column in plan.columns:
        if isinstance(column, Derived):
            value = cast(f"({to_sql(column.expression, kinds=kinds)})", column.kind)
            relation = f"(SELECT *, {value} AS {quoted(column.name)} FROM {relation})"
    return relation


def _training_set(definition: Definition) -> str:
    """Derived columns on top of each other, then the rule, the label, and what else candidates are judged by."""
    use_case, plan = definition.use_case, definition.plan
    kinds, relation = _kinds(plan), _with_derived(plan)
    chosen = "".join(f", {quoted(name)}" for name in plan.names)
    beside = ", _human AS human" if use_case.human else ""
    beside += f", {JUDGED} AS judged" if use_case.decision.judged else ""
    beside += "".join(f", {quoted('_' + GROUP + name)} AS {quoted(GROUP + name)}" for name in groups(use_case))
    entity = quoted(plan.entity)
    people = f"\nLEFT JOIN humans ON {entity} = humans._entity" if use_case.human else ""
    return f"""CREATE TABLE training_set AS
SELECT {entity} AS entity, _moment AS moment{chosen},
       {valued(to_sql(use_case.rule.expression, kinds=kinds), use_case.kind)} AS rule, _label AS label{beside}
FROM {relation} LEFT JOIN labels ON {entity} = labels._entity{people}
ORDER BY moment, entity"""
