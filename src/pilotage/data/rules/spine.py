"""The SQL of the spine: which rows of the decision's source are decisions, and why every other row is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pilotage.data.records import Exclusion
from pilotage.data.rules.keys import as_text
from pilotage.data.rules.marks import DELETED, KNOWN_AT, newest_first
from pilotage.data.rules.needs import groups, matures_seconds
from pilotage.data.rules.timelines import cast
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import UseCase
from pilotage.usecase.rules.expansion import request_columns, source_columns
from pilotage.usecase.rules.expressions import to_sql

GROUP = "group_"
"""What the training set's columns of groups begin with."""

JUDGED = quoted("_judged")


def spine_sql(use_case: UseCase, outcomes_known_to: datetime, deletions: bool) -> str:
    """The decisions: per entity its newest row, as known at the decision's own moment, old enough to have matured.

    Where the source has ``deletions``, a key that was deleted by the moment of its newest row is no decision.
    """
    decision = use_case.decision
    entity = quoted(decision.entity)
    names = source_columns(use_case)
    request = "".join(
        f",\n         {cast(quoted(names[name]), column.kind)} AS {quoted(name)}"
        for name, column in request_columns(use_case).items()
        if name != decision.entity
    )
    if decision.judged:
        request += f",\n         coalesce({to_sql(decision.judged)}, false) AS {JUDGED}"
    for group in groups(use_case):
        request += f",\n         {as_text(quoted(group))} AS {quoted('_' + GROUP + group)}"
    return f"""CREATE TABLE spine AS
WITH {_stages(use_case, deletions)}
SELECT {as_text(entity)} AS {entity}, _moment{request}
FROM newest WHERE {_where(use_case)} AND _moment <= {_mature(use_case, outcomes_known_to)}"""


def exclusions_sql(use_case: UseCase, outcomes_known_to: datetime, deletions: bool) -> str:
    """One row of counts for :func:`exclusions`, from the very stages that make the spine."""
    entity, known = quoted(use_case.decision.entity), f"{KNOWN_AT} <= _moment"
    by_key = "by_key" if deletions else "known"
    chosen = _where(use_case)
    return f"""WITH {_stages(use_case, deletions)}
SELECT first_stage.*, by_key_stage.*, known_stage.*, newest_stage.*
FROM (
  SELECT count(*) AS _rows, count(*) FILTER ({DELETED}) AS _deletions,
         count(*) FILTER (NOT {DELETED} AND {entity} IS NULL) AS _nobody,
         count(*) FILTER (NOT {DELETED} AND {entity} IS NOT NULL AND ({known}) IS NULL) AS _timeless,
         count(*) FILTER (NOT {DELETED} AND {entity} IS NOT NULL AND NOT ({known})) AS _late,
         count(*) FILTER (NOT {DELETED} AND {entity} IS NOT NULL AND {known}) AS _passed
  FROM moments
) first_stage, (SELECT count(*) AS _by_key FROM {by_key}) by_key_stage, (
  SELECT count(*) AS _known FROM known
) known_stage, (
  SELECT count(*) AS _newest, count(*) FILTER ({chosen}) AS _chosen,
         count(*) FILTER ({chosen} AND _moment > {_mature(use_case, outcomes_known_to)}) AS _immature
  FROM newest
) newest_stage"""


def exclusions(counts: Sequence[int], deletions: bool) -> tuple[int, dict[Exclusion, int]]:
    """How many rows the decision's source has, and for each reason how many of them are no decisions.

    A row has one reason, the first that holds in this order. ``counts`` is the row of :func:`exclusions_sql`.
    """
    rows, deletion_rows, nobody, timeless, late, passed, by_key, known, newest, chosen, immature = counts
    replaced = (passed - by_key if deletions else 0) + known - newest
    return rows, {
        "deletion": deletion_rows,
        "without_entity": nobody,
        "without_moment": timeless,
        "known_later": late,
        "replaced": replaced,
        "deleted": by_key - known,
        "where": newest - chosen,
        "immature": immature,
    }


def moments_sql(use_case: UseCase) -> str:
    """How many rows the decision's source has, how many are known after their own moment, how many fulfil `where`."""
    return (
        f"SELECT count(*), count(*) FILTER ({KNOWN_AT} > CAST({_moment(use_case)} AS TIMESTAMP)), "
        f"count(*) FILTER ({_where(use_case)}) FROM {_rows_of(use_case)} WHERE NOT {DELETED}"
    )


def _stages(use_case: UseCase, deletions: bool) -> str:
    """The rows of the source (``moments``), those ``known`` at their moment, and of each entity the ``newest``."""
    decision = use_case.decision
    source = use_case.sources[decision.source]
    entity = quoted(decision.entity)
    names = source_columns(use_case)
    ties = newest_first(quoted(name) for name in [source.event_time, *source.key, *names.values()])
    moment, rows_of = _moment(use_case), _rows_of(use_case)
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
    return f"""moments AS (
  {rows}
), newest AS (
  SELECT * FROM known QUALIFY row_number() OVER (PARTITION BY {entity} ORDER BY {ties}) = 1
)"""


def _where(use_case: UseCase) -> str:
    return f"({to_sql(use_case.decision.where)})" if use_case.decision.where else "true"


def _mature(use_case: UseCase, outcomes_known_to: datetime) -> str:
    return f"TIMESTAMP '{as_utc(outcomes_known_to):%Y-%m-%d %H:%M:%S.%f}' - to_seconds({matures_seconds(use_case)})"


def _moment(use_case: UseCase) -> str:
    decision = use_case.decision
    return to_sql(decision.moment) if decision.moment else quoted(use_case.sources[decision.source].event_time)


def _rows_of(use_case: UseCase) -> str:
    """The rows of the decision's source, with the names that the request has."""
    names = source_columns(use_case)
    renamed = "".join(f", {quoted(column)} AS {quoted(name)}" for name, column in names.items() if name != column)
    source = quoted(use_case.decision.source)
    return f"(SELECT *{renamed} FROM {source})" if renamed else source
