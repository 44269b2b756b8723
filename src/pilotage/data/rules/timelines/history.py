"""All versions of a source's rows, and from when to when each is what is known."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.rules.marks import DELETED, KNOWN_AT, oldest_first
from pilotage.data.rules.timelines.lines import SourceFacts
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Source


def history_sql(name: str, source: Source, columns: Sequence[str], facts: SourceFacts) -> str:
    """All versions of a source's rows, with the span in which each is visible and their order."""
    event_time = quoted(source.event_time)
    key = ", ".join(quoted(column) for column in source.key)
    rest = ", ".join(quoted(column) for column in columns)
    replaced = (
        f"lead({KNOWN_AT}) OVER (PARTITION BY {key} ORDER BY {oldest_first([event_time, rest])})"
        if facts.corrected
        else "CAST(NULL AS TIMESTAMP)"
    )
    order = f"row_number() OVER (ORDER BY {event_time}, {KNOWN_AT}, {rest})"
    return f"""CREATE TABLE {quoted("history_" + name)} AS
WITH versions AS (SELECT {rest}, {KNOWN_AT}, {DELETED}, {replaced} AS _replaced_at FROM {quoted(name)})
SELECT {rest}, {event_time} AS _event_time, greatest({event_time}, {KNOWN_AT}) AS _visible_from, _replaced_at,
       {order} AS _order
FROM versions WHERE {event_time} IS NOT NULL AND NOT {DELETED}"""
