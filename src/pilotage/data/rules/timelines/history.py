"""All versions of a source's rows, and from when to when each is what is known."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.rules.marks import DELETED, KNOWN_AT, oldest_first
from pilotage.data.rules.timelines.lines import SourceFacts
from pilotage.data.rules.timelines.running import OUT_OF_ORDER
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Source


def history_sql(name: str, source: Source, columns: Sequence[str], facts: SourceFacts) -> str:
    """All versions of a source's rows, with the span in which each is visible and ``_order``, the order among them.

    Where no key has two versions, ``_order`` tells apart what is alike in event_time and ``_known_at``: it is the key.
    """
    event_time = quoted(source.event_time)
    rest = ", ".join(quoted(column) for column in columns)
    shown = f"{rest}, {event_time} AS _event_time, {KNOWN_AT}, greatest({event_time}, {KNOWN_AT}) AS _visible_from"
    rows = _corrected(name, source, rest) if facts.corrected else _uncorrected(name, source)
    return f"CREATE TABLE {quoted('history_' + name)} AS\nSELECT {shown}, _replaced_at, _order\nFROM ({rows})"


def _uncorrected(name: str, source: Source) -> str:
    key = ", ".join(quoted(column) for column in source.key)
    order = key if len(source.key) == 1 else f"row({key})"
    return f"""SELECT *, CAST(NULL AS TIMESTAMP) AS _replaced_at, {order} AS _order
FROM {quoted(name)} WHERE {_is_row(source)}"""


def _corrected(name: str, source: Source, rest: str) -> str:
    """Sorted twice and read in order, as in :mod:`.running`: by key for what comes next, by age to be numbered."""
    event_time = quoted(source.event_time)
    names = [quoted(column) for column in source.key]
    key = ", ".join(names)
    following = ", ".join(f"lead({column}) OVER () AS _next_{n}" for n, column in enumerate(names))
    same = " AND ".join(f"_next_{n} IS NOT DISTINCT FROM {column}" for n, column in enumerate(names))
    versions = f"SELECT {rest}, {KNOWN_AT}, {DELETED} FROM {quoted(name)}"
    by_key = f"SELECT * FROM ({versions}) ORDER BY {key}, {oldest_first([event_time, rest])}"
    wrong = f"_next_0 < {names[0]} OR ({same} AND _next_known < {KNOWN_AT})"
    replaced = f"CASE WHEN {wrong} THEN {OUT_OF_ORDER} WHEN {same} THEN _next_known END"
    number = f"CASE WHEN lag({event_time}) OVER () > {event_time} THEN {OUT_OF_ORDER} ELSE row_number() OVER () END"
    return f"""SELECT *, {number} AS _order FROM (
  SELECT * EXCLUDE (_next_known), {replaced} AS _replaced_at FROM (
    SELECT *, {following}, lead({KNOWN_AT}) OVER () AS _next_known FROM ({by_key}))
  WHERE {_is_row(source)} ORDER BY {event_time}, {KNOWN_AT}, {rest})"""


def _is_row(source: Source) -> str:
    return f"{quoted(source.event_time)} IS NOT NULL AND NOT {DELETED}"
