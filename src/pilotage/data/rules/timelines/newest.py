"""The newest row visible: what *latest* takes its value from, and *since* its event_time."""

from __future__ import annotations

from pilotage.data.rules.timelines.extremes import Extreme, best_sql
from pilotage.data.rules.timelines.lines import SourceFacts, Timeline, key_columns, rows_sql
from pilotage.data.rules.timelines.values import cast
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Latest


def newest_sql(timeline: Timeline, facts: SourceFacts) -> str:
    """The instants at which the newest visible row may be another one, with its values and event_time."""
    return _corrected(timeline) if facts.corrected else _uncorrected(timeline)


def _uncorrected(timeline: Timeline) -> str:
    """Where no row is ever replaced, the newest visible row is a running maximum."""
    keys = key_columns(timeline)
    return f"""WITH visible AS ({rows_sql(timeline, ["_visible_from AS _from", "_order"])}),
steps AS (SELECT {keys}, _from, max(_order) AS _order FROM visible GROUP BY ALL),
best AS (SELECT {keys}, _from, max(_order) OVER (PARTITION BY {keys} ORDER BY _from) AS _order FROM steps)
SELECT {keys}, _from, {_shown(timeline)}
FROM best JOIN (SELECT {_taken(timeline)} FROM {quoted("history_" + timeline.source)}) USING (_order)"""


def _corrected(timeline: Timeline) -> str:
    """Where rows are replaced, the newest is the greatest in order among the rows visible then.

    A row counts until it is too old for every column; it need not be an instant of change when it gets so, because
    rows that are left are older still.
    """
    span_us = timeline.over_seconds * 1_000_000 + 1
    leaves = f"least(_replaced_at, _event_time + to_microseconds({span_us})) AS _leaves_at"
    more = ["_visible_from", "_replaced_at", "_order", leaves]
    keys = key_columns(timeline)
    changes = f"""SELECT {keys}, epoch_us(_visible_from) AS _at FROM visible
  UNION SELECT {keys}, epoch_us(_replaced_at) FROM visible WHERE _replaced_at IS NOT NULL"""
    return f"""WITH visible AS ({rows_sql(timeline, more)} AND _visible_from < _leaves_at),
{best_sql(keys, span_us, changes, [Extreme("_order", "max", "_order")])}
SELECT {keys}, _from, {_shown(timeline)}
FROM best LEFT JOIN (SELECT {_taken(timeline)} FROM {quoted("history_" + timeline.source)}) USING (_order)"""


def _taken(timeline: Timeline) -> str:
    looked_up = [c for c in timeline.columns if isinstance(c, Latest)]
    return ", ".join(
        ["_order", "_event_time", *(f"{cast(quoted(c.take), c.kind)} AS {quoted(c.name)}" for c in looked_up)]
    )


def _shown(timeline: Timeline) -> str:
    return ", ".join(["_event_time", *(quoted(c.name) for c in timeline.columns if isinstance(c, Latest))])
