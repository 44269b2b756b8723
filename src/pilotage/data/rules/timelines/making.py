"""One timeline's statement, by its form."""

from __future__ import annotations

from pilotage.data.rules.timelines.distinct import distinct_sql
from pilotage.data.rules.timelines.extremes import extremes_sql
from pilotage.data.rules.timelines.lines import SourceFacts, Timeline
from pilotage.data.rules.timelines.newest import newest_sql
from pilotage.data.rules.timelines.sums import sums_sql


def timeline_sql(timeline: Timeline, facts: SourceFacts) -> str:
    """One timeline: its key as ``_by_1`` …, the instant ``_from``, one value per column named as the column.

    Where the values depend on the age of a row, its ``_event_time`` stands beside them; of *since* that is all.
    """
    return f"CREATE TABLE {timeline.name} AS\n{_body(timeline, facts)}"


def _body(timeline: Timeline, facts: SourceFacts) -> str:
    if timeline.has_event_time:
        return newest_sql(timeline, facts)
    if timeline.form == "sums":
        return sums_sql(timeline, facts)
    return distinct_sql(timeline) if timeline.form == "distinct" else extremes_sql(timeline)
