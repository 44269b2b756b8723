"""Counts, sums, means, shares and standard deviations as running sums of what enters and leaves.

A row enters with its value and leaves with its negative. Running sums of floats would keep the rounding errors of
values long gone; these are sums of 128-bit integers (the value times a power of two, 90 bits for the largest), hence
exact, and the same in whatever order the engine adds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from pilotage.data.rules.timelines.deviation import HALF, deviation_sql
from pilotage.data.rules.timelines.lines import SourceFacts, Timeline, key_columns, key_names, leaves_at, rows_sql
from pilotage.data.rules.timelines.running import running_sums
from pilotage.data.rules.timelines.values import cast, is_known
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Window
from pilotage.usecase.rules.expressions import to_sql

_SCALE_BITS = 90


class _Total(Struct, frozen=True):
    """A running total ``name`` of what ``each`` row adds."""

    name: str
    each: str


def sums_sql(timeline: Timeline, facts: SourceFacts) -> str:
    """The instants at which a row enters or leaves, with the values from then on."""
    keys = key_columns(timeline)
    columns = [column for column in timeline.columns if isinstance(column, Window)]
    takes = list(dict.fromkeys(column.take for column in columns))
    scales = {take: _scale(facts.largest.get(take, 0.0)) for take in takes}
    totals = _totals(columns, takes, scales)
    names = [total.name for total in totals]
    values = ", ".join(f"{_value(c, columns, takes, scales)} AS {quoted(c.name)}" for c in columns)
    each = [f"{total.each} AS {total.name}" for total in totals]
    return f"""WITH visible AS (
  SELECT * FROM ({rows_sql(timeline, ["_visible_from", leaves_at(timeline), *each])}) WHERE _visible_from < _leaves_at),
changes AS (
  SELECT {keys}, _visible_from AS _from, {", ".join(names)} FROM visible
  UNION ALL
  SELECT {keys}, _leaves_at AS _from, {", ".join(f"-{name}" for name in names)} FROM visible
),
running AS ({running_sums("changes", key_names(timeline), names)})
SELECT {keys}, _from, {values} FROM running"""


def _totals(columns: Sequence[Window], takes: Sequence[str], scales: Mapping[str, float]) -> list[_Total]:
    """What has to be added up so that every column can be told from it."""
    totals = [] if all(takes) else [_Total("n", "1")]
    for number, take in enumerate(takes):
        if not take:
            continue
        wanted = {column.aggregate for column in columns if column.take == take}
        if wanted == {"count"}:
            totals.append(_Total(f"n{number}", f"CAST({is_known(quoted(take))} AS INTEGER)"))
            continue
        value = cast(quoted(take), "number")
        scaled = f"CAST(coalesce({value}, 0) * {scales[take]!r} AS HUGEINT)"
        totals += [_Total(f"n{number}", f"CAST({value} IS NOT NULL AS INTEGER)"), _Total(f"s{number}", scaled)]
        if "std" in wanted:
            high, low = f"({scaled} // {HALF})", f"({scaled} % {HALF})"
            products = {"hh": (high, high), "hl": (high, low), "ll": (low, low)}
            totals += [_Total(f"{name}{number}", f"{one} * {other}") for name, (one, other) in products.items()]
    shares = (column for column in columns if column.aggregate == "share")
    for number, where in enumerate(dict.fromkeys(column.where for column in shares)):
        totals.append(_Total(f"f{number}", f"CAST(coalesce(({to_sql(where)}), false) AS INTEGER)"))
    return totals


def _value(column: Window, columns: Sequence[Window], takes: Sequence[str], scales: Mapping[str, float]) -> str:
    """A column's value, told from the running totals."""
    if column.aggregate == "share":
        number = list(dict.fromkeys(c.where for c in columns if c.aggregate == "share")).index(column.where)
        return f"CASE WHEN n > 0 THEN CAST(f{number} AS DOUBLE) / n END"
    if not column.take:
        return "CAST(n AS DOUBLE)"
    number = takes.index(column.take)
    if column.aggregate == "count":
        return f"CAST(n{number} AS DOUBLE)"
    scale = repr(scales[column.take])
    if column.aggregate == "std":
        return deviation_sql(str(number), scale)
    divided = f" / n{number}" if column.aggregate == "mean" else ""
    return f"CASE WHEN n{number} > 0 THEN CAST(s{number} AS DOUBLE) / {scale}{divided} END"


def _scale(largest: float) -> float:
    """The power of two that makes the largest value a 90-bit integer: 37 bits are left for adding up rows."""
    exponent = math.frexp(largest)[1] if largest else 0
    return float(math.ldexp(1.0, min(_SCALE_BITS - exponent, 1000)))
