"""What a timeline says at a moment: the value of a column beside the state that was found for it."""

from __future__ import annotations

from pilotage.data.rules.timelines.lines import Timeline
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Latest, Window


def value_sql(line: Timeline, column: Latest | Window, asked: str, moment: str) -> str:
    """The column's value at ``moment``, where the rows ``asked`` (a table's name) are joined to the timeline's."""
    value, event_time = f"{line.name}.{quoted(column.name)}", f"{line.name}._event_time"
    if isinstance(column, Latest):
        return f"CASE WHEN {event_time} >= {moment} - to_seconds({column.within_seconds}) THEN {value} END"
    if column.aggregate == "since":
        age = f"(epoch_us({moment}) - epoch_us({event_time})) / CAST(1000000 AS DOUBLE)"
        return f"CASE WHEN {event_time} > {moment} - to_seconds({column.over_seconds}) THEN {age} END"
    if counts_rows(column):
        known = " AND ".join(f"{asked}.{quoted(by)} IS NOT NULL" for by in line.by)
        return f"CASE WHEN {known} THEN coalesce({value}, 0) END"
    return value


def counts_rows(column: Latest | Window) -> bool:
    """Whether no row at all is a value, which is zero."""
    return isinstance(column, Window) and column.aggregate in {"count", "distinct"}
