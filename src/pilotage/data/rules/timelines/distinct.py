"""How many different values the rows visible at each instant have, in n log n.

A value is there in the union of the spans of its rows. In the order in which they begin, each row adds what lies after
all that earlier ones cover: the value enters there, and leaves at the row's end. That holds for spans of any length,
hence for rows that are late or corrected.
"""

from __future__ import annotations

from pilotage.data.rules.timelines.lines import Timeline, key_columns, key_names, leaves_at, rows_sql
from pilotage.data.rules.timelines.running import greatest_yet, in_groups, running_sums, unpaired
from pilotage.data.rules.timelines.values import cast, is_known
from pilotage.platform.quoting import quoted


def distinct_sql(timeline: Timeline) -> str:
    """Counts of distinct values as running sums of the values that enter and leave."""
    keys = key_columns(timeline)
    takes = list(dict.fromkeys(column.take for column in timeline.columns))
    values = [
        f"CASE WHEN {is_known(quoted(take))} THEN {_value(quoted(take))} END AS v{n}" for n, take in enumerate(takes)
    ]
    more = ["_visible_from", leaves_at(timeline), *values]
    counts = [f"d{n}" for n in range(len(takes))]
    parts = ",\n".join(_pieces(timeline, n) for n in range(len(takes)))
    changes = "\n  UNION ALL\n  ".join(_changes(keys, n, len(takes)) for n in range(len(takes)))
    values_of = ", ".join(f"CAST(d{takes.index(c.take)} AS DOUBLE) AS {quoted(c.name)}" for c in timeline.columns)
    return f"""WITH visible AS ({rows_sql(timeline, more)} AND _visible_from < _leaves_at),
{parts},
changes AS (
  {changes}
),
running AS ({running_sums("changes", key_names(timeline), counts)})
SELECT {keys}, _from, {values_of} FROM running"""


def _value(sql: str) -> str:
    """A value as a text that is the same for equal values: zero has two signs."""
    text = cast(sql, "category")
    return f"CASE WHEN typeof({sql}) IN ('DOUBLE', 'FLOAT') AND {text} = '-0' THEN '0' ELSE {text} END"


def _pieces(timeline: Timeline, number: int) -> str:
    """Per row what its span adds to the spans of rows of the same value that began before: disjoint pieces."""
    keys, value = key_names(timeline), f"v{number}"
    rows = f"(SELECT * FROM visible WHERE {value} IS NOT NULL)"
    ordered = in_groups(rows, [*keys, value], ["_visible_from"], ["_leaves_at"])
    covered = unpaired("lag(_covered) OVER ()")
    return f"""pieces_{number} AS (
  SELECT {", ".join(keys)}, make_timestamp(CAST(_begins AS BIGINT)) AS _first, _leaves_at FROM (
    SELECT *, greatest(epoch_us(_visible_from), {covered}) AS _begins FROM (
      SELECT *, {greatest_yet("epoch_us(_leaves_at)")} AS _covered FROM ({ordered}))
  ) WHERE _begins < epoch_us(_leaves_at)
)"""


def _changes(keys: str, number: int, of: int) -> str:
    def deltas(sign: int) -> str:
        return ", ".join(f"{sign if n == number else 0} AS d{n}" for n in range(of))

    return f"""SELECT {keys}, _first AS _from, {deltas(1)} FROM pieces_{number}
  UNION ALL SELECT {keys}, _leaves_at, {deltas(-1)} FROM pieces_{number}"""
