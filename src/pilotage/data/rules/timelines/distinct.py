"""How many different values the rows visible at each instant have, in n log n.

A value is there in the union of the spans of its rows. In the order in which they begin, each row adds what lies after
all that earlier ones cover: the value enters there, and leaves at the row's end. That holds for spans of any length,
hence for rows that are late or corrected.
"""

from __future__ import annotations

from pilotage.data.rules.timelines.lines import Timeline, key_columns, leaves_at, rows_sql
from pilotage.data.rules.timelines.values import cast
from pilotage.platform.quoting import quoted


def distinct_sql(timeline: Timeline) -> str:
    """Counts of distinct values as running sums of the values that enter and leave."""
    keys = key_columns(timeline)
    takes = list(dict.fromkeys(column.take for column in timeline.columns))
    values = [f"{cast(quoted(take), 'category')} AS v{n}" for n, take in enumerate(takes)]
    more = ["_visible_from", leaves_at(timeline), *values]
    counts = [f"d{n}" for n in range(len(takes))]
    parts = ",\n".join(_pieces(keys, n) for n in range(len(takes)))
    changes = "\n  UNION ALL\n  ".join(_changes(keys, n, len(takes)) for n in range(len(takes)))
    summed = ", ".join(f"sum({count}) AS {count}" for count in counts)
    running = ", ".join(
        f"CAST(sum(d{takes.index(c.take)}) OVER past AS DOUBLE) AS {quoted(c.name)}" for c in timeline.columns
    )
    return f"""WITH visible AS ({rows_sql(timeline, more)} AND _visible_from < _leaves_at),
{parts},
changes AS (
  {changes}
),
steps AS (SELECT {keys}, _from, {summed} FROM changes GROUP BY ALL)
SELECT {keys}, _from, {running} FROM steps WINDOW past AS (PARTITION BY {keys} ORDER BY _from)"""


def _pieces(keys: str, number: int) -> str:
    """Per row what its span adds to the spans of rows of the same value that began before: disjoint pieces."""
    value = f"v{number}"
    return f"""pieces_{number} AS (
  SELECT {keys}, greatest(_visible_from, max(_leaves_at) OVER earlier) AS _first, _leaves_at
  FROM visible WHERE {value} IS NOT NULL
  WINDOW earlier AS (PARTITION BY {keys}, {value} ORDER BY _visible_from
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  QUALIFY _first < _leaves_at
)"""


def _changes(keys: str, number: int, of: int) -> str:
    def deltas(sign: int) -> str:
        return ", ".join(f"{sign if n == number else 0} AS d{n}" for n in range(of))

    return f"""SELECT {keys}, _first AS _from, {deltas(1)} FROM pieces_{number}
  UNION ALL SELECT {keys}, _leaves_at, {deltas(-1)} FROM pieces_{number}"""
