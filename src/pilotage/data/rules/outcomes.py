"""The SQL of what happened and of what people decided: the newest row of each entity, as a value of the outcome's kind.

Both may be known after the decision: the one is to be predicted, the other is compared with predictions, never learnt.
"""

from __future__ import annotations

from pilotage.data.records import CLASSES_MAX, QUANTILES
from pilotage.data.rules.keys import as_text
from pilotage.data.rules.marks import DELETED, newest_first
from pilotage.data.rules.timelines import cast
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import OutcomeKind, UseCase
from pilotage.usecase.rules.expressions import to_sql


def valued(sql: str, kind: OutcomeKind) -> str:
    """An expression as a value of this kind: a number that is not finite, and a text of spaces, is unknown."""
    if kind == "number":
        return cast(f"({sql})", "number")
    if kind == "flag":
        return f"CAST(({sql}) AS BOOLEAN)"
    text = f"CAST(({sql}) AS VARCHAR)"
    return f"CASE WHEN regexp_matches({text}, '\\S') THEN {text} END"


def labels_sql(use_case: UseCase, deletions: bool) -> str:
    """The table ``labels``: entity and outcome. Where the source has ``deletions``, a deleted outcome is none."""
    outcome = use_case.outcome
    return _newest(use_case, "label", outcome.source, outcome.expression, deletions)


def humans_sql(use_case: UseCase, deletions: bool) -> str:
    """The table ``humans``: entity and human decision, of a file that says what people decided."""
    if use_case.human is None:
        raise ValueError(f"{use_case.use_case} does not say what people decided")
    return _newest(use_case, "human", use_case.human.source, use_case.human.decided, deletions)


def _newest(use_case: UseCase, name: str, place: str, expression: str, deletions: bool) -> str:
    source = use_case.sources[place]
    entity, relation = quoted(use_case.decision.entity), quoted(place)
    happened = to_sql(expression)
    ties = newest_first([*(quoted(column) for column in [source.event_time, *source.key]), f"({happened})"])
    if deletions:
        key = ", ".join(quoted(column) for column in source.key)
        newest = f"SELECT * FROM {relation} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {ties}) = 1"
        relation = f"({newest})"
    return f"""CREATE TABLE {name}s AS
WITH newest AS (
  SELECT * FROM {relation} WHERE {entity} IS NOT NULL AND NOT {DELETED}
  QUALIFY row_number() OVER (PARTITION BY {entity} ORDER BY {ties}) = 1
)
SELECT {as_text(entity)} AS _entity, {valued(happened, use_case.kind)} AS _{name} FROM newest"""


CLASSES_SQL = f"""
SELECT label, count(*) AS n, (SELECT count(DISTINCT label) FROM training_set) FROM training_set
WHERE label IS NOT NULL GROUP BY label ORDER BY n DESC, label LIMIT {CLASSES_MAX}
"""

QUANTILES_SQL = f"SELECT quantile_cont(label, {list(QUANTILES)}) FROM training_set"
