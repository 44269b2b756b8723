"""The newest row visible: what *latest* takes its value from, and *since* its event_time."""

from __future__ import annotations

from pilotage.data.rules.marks import KNOWN_AT
from pilotage.data.rules.timelines.extremes import greatest_sql
from pilotage.data.rules.timelines.lines import SourceFacts, Timeline, key_columns, key_names, rows_sql
from pilotage.data.rules.timelines.running import (
    NOTHING,
    following,
    greatest_yet,
    in_groups,
    is_last,
    paired,
    unpaired,
)
from pilotage.data.rules.timelines.values import cast
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Latest


def newest_sql(timeline: Timeline, facts: SourceFacts) -> str:
    """The instants at which the newest visible row may be another one, with its values and event_time."""
    return _corrected(timeline) if facts.corrected else _uncorrected(timeline)


def _uncorrected(timeline: Timeline) -> str:
    """Where no row is ever replaced, a row is the newest once it is visible, unless one that happened later is."""
    keys = key_names(timeline)
    looked_up = [c for c in timeline.columns if isinstance(c, Latest)]
    taken = [f"{cast(quoted(c.take), c.kind)} AS {quoted(c.name)}" for c in looked_up]
    more = ["_visible_from AS _from", "_event_time", f"{KNOWN_AT} AS _known", "_order", *taken]
    rows = f"({rows_sql(timeline, more)} AND isfinite(_from) AND isfinite(_event_time))"
    order = ["_from", "_event_time", "_known", "_order"]
    ordered = in_groups(rows, keys, order, [quoted(column.name) for column in looked_up])
    place, happened = ["_group", "_from"], "epoch_us(_event_time)"
    return f"""SELECT {", ".join(keys)}, _from, {_shown(timeline)}
FROM (SELECT *, {greatest_yet(happened)} AS _newest, {following(place)} FROM ({ordered}))
WHERE _newest = {paired(happened)} AND {is_last(place)}"""


def _corrected(timeline: Timeline) -> str:
    """Where rows are replaced: the greatest in order of those that stay and those that will be replaced.

    A row no longer matters once a newer one that stays is visible. So those that stay take turns, each until the next,
    and of those that are replaced short spans are left. A row counts, too, only until it is too old for every column:
    all that are older are too old then as well.
    """
    span_us = timeline.over_seconds * 1_000_000 + 1
    leaves = f"least(_replaced_at, _event_time + to_microseconds({span_us})) AS _leaves_at"
    more = ["_visible_from", leaves, "_replaced_at IS NULL AS _stays", "_order", "-_order AS _newest_first"]
    names, keys = key_names(timeline), key_columns(timeline)
    rows = f"({rows_sql(timeline, more)} AND _visible_from < _leaves_at)"
    by_age = in_groups(rows, names, ["_newest_first"], ["_order", "_stays", "_visible_from", "_leaves_at"])
    stays_from = f"CASE WHEN _stays THEN -epoch_us(_visible_from) ELSE {NOTHING + 1} END"
    ends = f"CAST(least(epoch_us(_leaves_at), -{unpaired('lag(_first) OVER ()')}) AS BIGINT)"
    place = ["_group", "_from"]
    return f"""WITH spans AS (
  SELECT {keys}, _order, _stays, _visible_from, make_timestamp({ends}) AS _leaves_at
  FROM (SELECT *, {greatest_yet(stays_from)} AS _first FROM ({by_age}))
),
visible AS (SELECT * FROM spans WHERE NOT _stays AND _visible_from < _leaves_at),
{greatest_sql(names, span_us, ["_order"])},
steps AS (
  SELECT {keys}, _from, 0 AS _staying, coalesce(_order, 0) AS _passing FROM best
  UNION ALL
  SELECT {keys}, _visible_from, _order, NULL FROM spans WHERE _stays AND _visible_from < _leaves_at
),
both_kinds AS (
  SELECT {keys}, _group, _from, {following(place)}, {greatest_yet("_staying")} AS _staying,
         arg_max(_passing, {paired("epoch_us(_from)")}) OVER (ROWS UNBOUNDED PRECEDING) AS _passing
  FROM ({in_groups("steps", names, ["_from"], ["_staying", "_passing"])})
),
newest AS (
  SELECT {keys}, _from, greatest(CAST({unpaired("_staying")} AS BIGINT), _passing) AS _order
  FROM both_kinds WHERE {is_last(place)}
)
SELECT {keys}, _from, {_shown(timeline)}
FROM newest LEFT JOIN (SELECT {_taken(timeline)} FROM {quoted("history_" + timeline.source)}) USING (_order)"""


def _taken(timeline: Timeline) -> str:
    looked_up = [c for c in timeline.columns if isinstance(c, Latest)]
    return ", ".join(
        ["_order", "_event_time", *(f"{cast(quoted(c.take), c.kind)} AS {quoted(c.name)}" for c in looked_up)]
    )


def _shown(timeline: Timeline) -> str:
    return ", ".join(["_event_time", *(quoted(c.name) for c in timeline.columns if isinstance(c, Latest))])
