"""Minimum and maximum over the rows visible at each instant, in n log n, for rows that are late or corrected too.

A row is visible in one span of time, no longer than the window. Cut time into buckets as long as the window: a span
lies in two neighbouring buckets and counts from its first instant to the end of the one, and from the start of the
other to its last instant. Or it lies in one bucket, because the row came late or was replaced: then halve the bucket
until the span lies on both sides of a cut, which is at the highest bit in which its ends differ. So every span is the
end of one block and the start of its neighbour, and the extreme at an instant is, over the levels of halving, that of a
running extreme from its block's start and one from its block's end. (A disjoint sparse table; with one level it is the
sliding window of van Herk 1992 and Gil and Werman 1993.)

Only records count: a row that comes with less than one that stays for longer in the block changes nothing, nor does
one that goes. Of n values in no order about log n are records, so the timelines of extremes are short.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.rules.timelines.lines import Timeline, key_columns, key_names, leaves_at, rows_sql
from pilotage.data.rules.timelines.running import NOTHING, greatest_yet, in_groups, unpaired
from pilotage.data.rules.timelines.values import cast
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Window

_BETWEEN_BUCKETS = 62
"""The level of spans that lie in two buckets: a block of 2^62 microseconds is the whole bucket."""

_ALL_BUT_SIGN = 2**63 - 1


def extremes_sql(timeline: Timeline) -> str:
    """Minima and maxima of a window's columns: the greatest of integers that are in the order of the values."""
    keys = key_columns(timeline)
    columns = [column for column in timeline.columns if isinstance(column, Window)]
    wanted = list(dict.fromkeys((column.take, column.aggregate) for column in columns))
    numbers = [f"_number_{n}" for n in range(len(wanted))]
    values = [f"{_number(*one)} AS {number}" for one, number in zip(wanted, numbers, strict=True)]
    shown = ", ".join(
        f"{_value(numbers[wanted.index((c.take, c.aggregate))], c.aggregate)} AS {quoted(c.name)}" for c in columns
    )
    more = ["_visible_from", leaves_at(timeline), *values]
    return f"""WITH visible AS ({rows_sql(timeline, more)} AND _visible_from < _leaves_at),
{greatest_sql(key_names(timeline), timeline.over_seconds * 1_000_000, numbers)}
SELECT {keys}, _from, {shown} FROM best"""


def _number(take: str, aggregate: str) -> str:
    """A finite number as an integer in the same order, for a minimum in the opposite order: its bits as IEEE 754."""
    bits = f"CAST(CAST({cast(quoted(take), 'number')} AS BIT) AS BIGINT)"
    ordered = f"CASE WHEN {bits} < 0 THEN xor({bits}, {_ALL_BUT_SIGN}) ELSE {bits} END"
    return f"-1 - {ordered}" if aggregate == "min" else ordered


def _value(number: str, aggregate: str) -> str:
    """The number that this integer stands for."""
    ordered = f"(-1 - {number})" if aggregate == "min" else number
    bits = f"CASE WHEN {ordered} < 0 THEN xor({ordered}, {_ALL_BUT_SIGN}) ELSE {ordered} END"
    return f"CAST(CAST({bits} AS BIT) AS DOUBLE)"


def greatest_sql(keys: Sequence[str], span_us: int, numbers: Sequence[str]) -> str:
    """Common tables, the last of them ``best``: per key the greatest of each of ``numbers`` from ``_from`` on.

    They read ``visible``: rows with ``keys``, ``_visible_from``, ``_leaves_at`` (at most ``span_us`` later) and
    ``numbers``, 64-bit integers or null. ``best`` has an instant for each change; null where no row is visible.
    """
    key, number = ", ".join(keys), ", ".join(numbers)
    nothing = ", ".join("NULL" for _ in numbers)
    return f"""sides AS (
  SELECT {key}, {number}, epoch_us(_visible_from) AS _first, epoch_us(_leaves_at) - 1 AS _last,
         {_rest("_first", span_us)} AS _first_rest, {_rest("_last", span_us)} AS _last_rest,
         CASE WHEN _first - _first_rest < _last - _last_rest THEN {_BETWEEN_BUCKETS}
              ELSE length(bin(xor(_first_rest, _last_rest))) - 1 END AS _level
  FROM visible
),
coming AS ({_records("_first", "_first", keys, numbers)}),
going AS ({_records("_last", "-_last", keys, numbers)}),
instants AS (SELECT *, {_rest("_at", span_us)} AS _rest FROM (
  SELECT {key}, _place AS _at FROM coming UNION SELECT {key}, 1 - _place FROM going
)),
levels AS (SELECT DISTINCT {key}, _level FROM coming),
asked AS (
  SELECT {key}, _level, {_block("_at", "_rest")} AS _block, _at FROM instants JOIN levels USING ({key})
),
best AS (
  SELECT {key}, make_timestamp(_at) AS _from, {", ".join(f"max({name}) AS {name}" for name in numbers)}
  FROM ({_answers("coming", "_at", keys, numbers)}
        UNION ALL {_answers("going", "-_at", keys, numbers)}
        UNION ALL SELECT {key}, _at, {nothing} FROM instants)
  GROUP BY {key}, _at
)"""


def _rest(instant: str, span_us: int) -> str:
    """How far into its bucket an instant is; before 1970, too."""
    return f"(({instant} % {span_us} + {span_us}) % {span_us})"


def _block(instant: str, rest: str) -> str:
    """Where the block of an instant begins, at a level: blocks are 2^level microseconds long, within a bucket."""
    return f"{instant} - {rest} % (1::BIGINT << _level)"


def _records(end: str, place: str, keys: Sequence[str], numbers: Sequence[str]) -> str:
    """The spans' ends that change an extreme: greater than all that count for longer in their block.

    ``_place`` grows towards those that count for shorter: it is the instant of what comes, minus that of what goes.
    """
    of_block = [*keys, "_level", "_block"]
    rows = f"(SELECT *, {_block(end, end + '_rest')} AS _block, {place} AS _place FROM sides)"
    most = ", ".join(f"{greatest_yet(f'coalesce({name}, {NOTHING})')} AS _most_{name}" for name in numbers)
    longer = [unpaired(f"lag(_most_{name}) OVER ()") for name in numbers]
    kept = ", ".join(
        f"CASE WHEN coalesce({name} > {other}, true) THEN {name} END AS _kept_{name}"
        for name, other in zip(numbers, longer, strict=True)
    )
    shown = ", ".join(f"_kept_{name} AS {name}" for name in numbers)
    return f"""
  SELECT {", ".join(of_block)}, _place, {shown} FROM (
    SELECT *, {kept} FROM (SELECT *, {most} FROM ({in_groups(rows, of_block, ["_place"], numbers)})))
  WHERE coalesce({", ".join(f"_kept_{name}" for name in numbers)}) IS NOT NULL
"""


def _answers(records: str, place: str, keys: Sequence[str], numbers: Sequence[str]) -> str:
    """The greatest of one side's records at each instant asked, where the block has one by then."""
    of_block = [*keys, "_level", "_block"]
    block = ", ".join(of_block)
    nothing = ", ".join("NULL" for _ in numbers)
    rows = f"""(SELECT {block}, _place, false AS _asked, _place AS _at, {", ".join(numbers)} FROM {records}
      UNION ALL
      SELECT {block}, {place}, true, _at, {nothing}
      FROM asked JOIN (SELECT {block}, min(_place) AS _opens FROM {records} GROUP BY ALL) USING ({block})
      WHERE {place} >= _opens)"""
    most = ", ".join(
        f"nullif(CAST({unpaired(greatest_yet(f'coalesce({name}, {NOTHING})'))} AS BIGINT), {NOTHING}) AS _most_{name}"
        for name in numbers
    )
    ordered = in_groups(rows, of_block, ["_place", "_asked"], ["_at", *numbers])
    return f"""SELECT {", ".join(keys)}, _at, {", ".join(f"_most_{name} AS {name}" for name in numbers)}
        FROM (SELECT *, {most} FROM ({ordered})) WHERE _asked"""
