"""Minimum and maximum over the rows visible at each instant, in n log n, for rows that are late or corrected too.

A row is visible in one span of time, no longer than the window. Cut time into buckets as long as the window: a span
lies in two neighbouring buckets and counts from its first instant to the end of the one, and from the start of the
other to its last instant. Or it lies in one bucket, because the row came late or was replaced: then halve the bucket
until the span lies on both sides of a cut, which is at the highest bit in which its ends differ. So every span is the
end of one block and the start of its neighbour, and the extreme at an instant is, over the levels of halving, that of a
running extreme from its block's start and one from its block's end. (A disjoint sparse table; with one level it is the
sliding window of van Herk 1992 and Gil and Werman 1993.)
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pilotage.data.rules.timelines.lines import Timeline, key_columns, leaves_at, rows_sql
from pilotage.data.rules.timelines.values import cast
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Window

_BETWEEN_BUCKETS = 62
"""The level of spans that lie in two buckets: a block of 2^62 microseconds is the whole bucket."""


class Extreme(Struct, frozen=True):
    """``function`` (min or max) of the column ``of`` of the rows, as ``name``; both as SQL has them."""

    name: str
    function: str
    of: str


def extremes_sql(timeline: Timeline) -> str:
    """Minima and maxima of a window's columns."""
    keys = key_columns(timeline)
    takes = list(dict.fromkeys(column.take for column in timeline.columns))
    values = [f"{cast(quoted(take), 'number')} AS v{n}" for n, take in enumerate(takes)]
    extremes = [
        Extreme(quoted(column.name), column.aggregate, f"v{takes.index(column.take)}")
        for column in timeline.columns
        if isinstance(column, Window)
    ]
    changes = f"""SELECT {keys}, epoch_us(_visible_from) AS _at FROM visible
  UNION SELECT {keys}, epoch_us(_leaves_at) FROM visible"""
    more = ["_visible_from", leaves_at(timeline), *values]
    return f"""WITH visible AS ({rows_sql(timeline, more)} AND _visible_from < _leaves_at),
{best_sql(keys, timeline.over_seconds * 1_000_000, changes, extremes)}
SELECT {keys}, _from, {", ".join(extreme.name for extreme in extremes)} FROM best"""


def best_sql(keys: str, span_us: int, changes: str, extremes: Sequence[Extreme]) -> str:
    """Common tables, the last of them ``best``: per key and instant ``_from`` of ``changes`` the extremes.

    They read ``visible``: rows with ``keys``, ``_visible_from``, ``_leaves_at`` (at most ``span_us`` later) and what
    the extremes are of. ``changes`` gives ``keys`` and the instants ``_at`` in microseconds.
    """
    taken = list(dict.fromkeys(extreme.of for extreme in extremes))
    nothing = ", ".join("NULL, NULL" for _ in taken)
    ahead = ", ".join(f"{value} AS {value}_ahead, NULL AS {value}_behind" for value in taken)
    behind = ", ".join(f"NULL, {value}" for value in taken)
    of_block = f"{keys}, _level, _block"
    return f"""instants AS (SELECT *, {_rest("_at", span_us)} AS _rest FROM (
  {changes}
)),
spans AS (
  SELECT {keys}, {", ".join(taken)}, epoch_us(_visible_from) AS _first, epoch_us(_leaves_at) - 1 AS _last,
         {_rest("_first", span_us)} AS _first_rest, {_rest("_last", span_us)} AS _last_rest,
         CASE WHEN _first - _first_rest < _last - _last_rest THEN {_BETWEEN_BUCKETS}
              ELSE length(bin(xor(_first_rest, _last_rest))) - 1 END AS _level
  FROM visible
),
entries AS (
  SELECT {keys}, _level, {_block("_first", "_first_rest")} AS _block, _first AS _at, false AS _asked, {ahead} FROM spans
  UNION ALL
  SELECT {keys}, _level, {_block("_last", "_last_rest")}, _last, false, {behind} FROM spans
),
levels AS (SELECT DISTINCT {keys}, _level FROM spans),
asked AS (
  SELECT {keys}, _level, {_block("_at", "_rest")} AS _block, _at FROM instants JOIN levels USING ({keys})
),
placed AS (
  SELECT * FROM entries
  UNION ALL
  SELECT {of_block}, _at, true, {nothing} FROM asked SEMI JOIN entries USING ({of_block})
),
running AS (
  SELECT {keys}, _at, _asked, {", ".join(_running(extreme) for extreme in extremes)}
  FROM placed
  WINDOW ahead AS (PARTITION BY {of_block} ORDER BY _at RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
         behind AS (PARTITION BY {of_block} ORDER BY _at RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
),
best AS (
  SELECT {keys}, make_timestamp(_at) AS _from, {", ".join(f"{e.function}({e.name}) AS {e.name}" for e in extremes)}
  FROM (SELECT * EXCLUDE (_asked) FROM running WHERE _asked
        UNION ALL SELECT {keys}, _at, {", ".join("NULL" for _ in extremes)} FROM instants)
  GROUP BY {keys}, _at
)"""


def _rest(instant: str, span_us: int) -> str:
    """How far into its bucket an instant is; before 1970, too."""
    return f"(({instant} % {span_us} + {span_us}) % {span_us})"


def _block(instant: str, rest: str) -> str:
    """Where the block of an instant begins, at a level: blocks are 2^level microseconds long, within a bucket."""
    return f"{instant} - {rest} % (1::BIGINT << _level)"


def _running(extreme: Extreme) -> str:
    both = {"min": "least", "max": "greatest"}[extreme.function]
    ahead = f"{extreme.function}({extreme.of}_ahead) OVER ahead"
    behind = f"{extreme.function}({extreme.of}_behind) OVER behind"
    return f"{both}({ahead}, {behind}) AS {extreme.name}"
