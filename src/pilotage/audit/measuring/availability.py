"""Each input at the moments of past decisions: is it there, how old is it, did a newer row come too late?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.audit.measured.availability import Availability
from pilotage.data.rules.timelines import Timeline, cast, timelines
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Source

if TYPE_CHECKING:
    import duckdb

DECISIONS_MAX = 10_000
ROWS_MAX = 100_000


class _Ages(Struct, frozen=True):
    """How old the newest known row is, and how often a newer one had happened."""

    middle: float | None
    most: float | None
    behind: float


def measure_availability(
    connection: duckdb.DuckDBPyConnection, definition: Definition, completeness: dict[str, float]
) -> tuple[Availability, ...]:
    """One per input in the order of the file. Ages are measured at the newest 10,000 decisions."""
    decisions = connection.execute("SELECT count(*) FROM spine").fetchall()[0][0]
    sampled = DECISIONS_MAX if decisions > DECISIONS_MAX else 0
    lines = timelines(definition.plan) if decisions else ()
    seen: dict[str, Availability] = {}
    for source_name, by, key in dict.fromkeys((line.source, line.by, line.key) for line in lines):
        source = definition.use_case.sources[source_name]
        same = [line for line in lines if (line.source, line.by, line.key) == (source_name, by, key)]
        ages = _Ages(None, None, 0.0) if source.is_static else _ages(connection, same[0], source)
        for line in same:
            timed = not line.is_window and not source.is_static
            for column in line.columns:
                late = _too_late(connection, column.within_seconds) if timed else 0.0  # type: ignore[union-attr]
                known = completeness.get(column.name, 0.0)
                one = Availability(column.name, source_name, known, ages.middle, ages.most, ages.behind, late, sampled)
                seen[column.name] = one
    names = definition.plan.names
    return tuple(seen.get(name) or Availability(name, "", completeness.get(name, 0.0)) for name in names)


def _ages(connection: duckdb.DuckDBPyConnection, line: Timeline, source: Source) -> _Ages:
    """Make ``_ages``: per decision its moment, the newest row known by then, and the newest that had happened."""
    pairs = list(zip(line.key, line.kinds, strict=True))
    keys = ", ".join(f"k{n}" for n in range(len(pairs)))
    own = ", ".join(f"{quoted(by)} AS k{n}" for n, by in enumerate(line.by))
    theirs = ", ".join(f"{cast(quoted(name), kind)} AS k{n}" for n, (name, kind) in enumerate(pairs))
    event_time, known_at = quoted(source.event_time), quoted(source.known_at)
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _newest_decisions AS
    SELECT {own}, _moment FROM spine ORDER BY _moment DESC, {keys} LIMIT {DECISIONS_MAX}""")
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _ages AS
    WITH happened AS (
      SELECT {theirs}, {event_time} AS e, min(greatest({event_time}, {known_at})) AS v FROM {quoted(line.source)}
      WHERE {event_time} <= (SELECT max(_moment) FROM _newest_decisions){_recent(connection, line, source)}
      GROUP BY ALL
    ), steps AS (SELECT {keys}, v, max(e) AS e FROM happened GROUP BY {keys}, v),
    known AS (SELECT {keys}, v, max(e) OVER (PARTITION BY {keys} ORDER BY v) AS e FROM steps)
    SELECT _moment, epoch(_moment) - epoch(known.e) AS known_age, epoch(_moment) - epoch(happened.e) AS newest_age
    FROM _newest_decisions d
    ASOF LEFT JOIN known ON {_same(len(pairs), "known")} AND d._moment >= known.v
    ASOF LEFT JOIN happened ON {_same(len(pairs), "happened")} AND d._moment >= happened.e""")
    behind = "newest_age IS NOT NULL AND (known_age IS NULL OR newest_age < known_age)"
    row = connection.execute(
        "SELECT quantile_cont(known_age, 0.5), quantile_cont(known_age, 0.95), "
        f"avg(CAST({behind} AS INTEGER)) FROM _ages"
    ).fetchall()[0]
    return _Ages(row[0], row[1], row[2] or 0.0)


def _recent(connection: duckdb.DuckDBPyConnection, line: Timeline, source: Source) -> str:
    """Of a large source only about its newest 100,000 rows."""
    rows = connection.execute(f"SELECT count(*) FROM {quoted(line.source)}").fetchall()[0][0]
    if rows <= ROWS_MAX:
        return ""
    at = quoted(source.event_time)
    return f" AND {at} >= (SELECT approx_quantile({at}, {1 - ROWS_MAX / rows}) FROM {quoted(line.source)})"


def _same(count: int, relation: str) -> str:
    return " AND ".join(f"d.k{n} = {relation}.k{n}" for n in range(count))


def _too_late(connection: duckdb.DuckDBPyConnection, within_seconds: int) -> float:
    """The share of decisions that find nothing young enough, where something young enough had happened."""
    row = connection.execute(
        "SELECT avg(CAST(coalesce(newest_age <= $within, false) AND NOT coalesce(known_age <= $within, false) "
        "AS INTEGER)) FROM _ages",
        {"within": within_seconds},
    ).fetchall()[0]
    return float(row[0] or 0.0)
