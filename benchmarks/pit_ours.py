"""Our point-in-time columns as one process: Parquet in, Parquet out, by the SQL that makes training sets.

    python -m benchmarks.pit_ours DECISIONS EVENTS OUT asof|sums|ranges SPILL

What is measured of the events is measured here too; the engine has the memory that it has in the product.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pilotage.data.rules import timelines as lines
from pilotage.platform.engine import analytical
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Aggregate, Latest, Plan, RequestColumn, Source, Window

DAYS = (7, 30)
COLUMNS: dict[str, tuple[tuple[Aggregate, str], ...]] = {
    "sums": (("count", ""), ("mean", "arr_delay")),
    "ranges": (("min", "arr_delay"), ("max", "arr_delay"), ("distinct", "carrier")),
}
_REQUEST = {"tailnum": RequestColumn(kind="category"), "dest": RequestColumn(kind="category")}
_TAKEN = ("event_id", "happened_at", "known_at", "tailnum", "dest", "carrier", "arr_delay")
_MEASURED = "EXISTS (SELECT 1 FROM events GROUP BY event_id HAVING count(*) > 1), max(abs(arr_delay))"


def plan(what: str) -> Plan:
    """The newest arrival of the aircraft, or windows of the arrivals at the destination."""
    columns: tuple[Latest | Window, ...] = (
        Latest("delay", "number", "events", ("tailnum",), "arr_delay", 400 * 86400),
    )
    if what != "asof":
        columns = tuple(
            Window(f"{aggregate}_{days}", "number", "events", ("dest",), take, aggregate, days * 86400)
            for aggregate, take in COLUMNS[what]
            for days in DAYS
        )
    return Plan("flight_id", "", _REQUEST, columns, "")


def main(decisions: str, events: str, out: str, what: str, spill: str) -> None:
    """Make the columns and write them beside the number of the decision."""
    source = Source(key=["event_id"], event_time="happened_at", known_at="known_at")
    with analytical(threads=2, spill=Path(spill)) as connection:
        connection.execute(f"CREATE VIEW spine AS SELECT *, moment AS _moment FROM read_parquet('{decisions}')")
        connection.execute(
            f"CREATE VIEW events AS SELECT *, known_at AS _known_at, false AS _deleted FROM read_parquet('{events}')"
        )
        corrected, largest = connection.execute(f"SELECT {_MEASURED} FROM events").fetchall()[0]
        facts = lines.SourceFacts(corrected=corrected, largest={"arr_delay": largest})
        connection.execute(lines.history_sql("events", source, _TAKEN, facts))
        made = lines.timelines(plan(what))
        for line in made:
            connection.execute(lines.timeline_sql(line, facts))
        connection.execute(f"COPY ({_joined(made)}) TO '{out}' (FORMAT parquet)")


def _joined(made: tuple[lines.Timeline, ...]) -> str:
    values = ", ".join(
        f"{lines.value_sql(line, column, 's', 's._moment')} AS {quoted(column.name)}"
        for line in made
        for column in line.columns
    )
    joins = " ".join(
        f"ASOF LEFT JOIN {line.name} ON s.{line.by[0]} = {line.name}._by_1 AND s._moment >= {line.name}._from"
        for line in made
    )
    return f"SELECT flight_id, {values} FROM spine s {joins}"


if __name__ == "__main__":
    main(*sys.argv[1:6])
