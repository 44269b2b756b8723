"""What others do about point in time, as programs: DECISIONS EVENTS OUT, from Parquet to Parquet, as ours."""

from __future__ import annotations

PANDAS_PACKAGES = ("pandas==2.3.3", "polars==1.35.2", "pyarrow")
FEAST_PACKAGES = ("feast==0.67.0",)

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
found.rename(columns={"arr_delay": "delay"})[["flight_id", "delay"]].to_parquet(sys.argv[3])
"""

POLARS = """
import sys
import polars
decisions, events = (polars.read_parquet(path) for path in sys.argv[1:3])
events = events.select("tailnum", "known_at", "arr_delay").sort("known_at")
found = decisions.sort("moment").join_asof(events, left_on="moment", right_on="known_at", by="tailnum",
                                           check_sortedness=False)
found.select("flight_id", delay="arr_delay").write_parquet(sys.argv[3])
"""

FEAST = """
import sys
from datetime import timedelta
from pathlib import Path
import pandas
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64
decisions, events, out = sys.argv[1:4]
registry = Path(out + ".registry")
registry.unlink(missing_ok=True)
store = FeatureStore(config=RepoConfig(
    project="pit", provider="local", registry=str(registry), offline_store={"type": "file"},
    online_store={"type": "sqlite", "path": out + ".online"},
    entity_key_serialization_version=3))
aircraft = Entity(name="aircraft", join_keys=["tailnum"], value_type=ValueType.STRING)
source = FileSource(path=events, timestamp_field="known_at")
view = FeatureView(name="arrivals", entities=[aircraft], ttl=timedelta(days=400), source=source, online=False,
                   schema=[Field(name="arr_delay", dtype=Float64)])
store.apply([aircraft, view])
asked = pandas.read_parquet(decisions, columns=["flight_id", "tailnum", "moment"]).dropna(subset=["tailnum"])
asked = asked.rename(columns={"moment": "event_timestamp"})
found = store.get_historical_features(entity_df=asked, features=["arrivals:arr_delay"]).to_df()
found.rename(columns={"arr_delay": "delay"})[["flight_id", "delay"]].to_parquet(out)
"""

# Brute force: each decision beside each arrival of its window. The last argument takes one decision of so many.
RANGE_JOIN = """
import sys
import duckdb
decisions, events, out, one_of = sys.argv[1:5]
connection = duckdb.connect(config={"threads": 2})
def windows(days):
    inside = f"FILTER (e.happened_at > d.moment - INTERVAL {days} DAY)"
    columns = {"count": "count(e.event_id)", "mean": "avg(arr_delay)", "min": "min(arr_delay)",
               "max": "max(arr_delay)", "distinct": "count(DISTINCT carrier)"}
    return ", ".join(f"{function} {inside} AS {name}_{days}" for name, function in columns.items())
connection.execute(f'''COPY (SELECT flight_id, {windows(7)}, {windows(30)}
FROM (FROM read_parquet('{decisions}') WHERE flight_id % {one_of} = 0) d
LEFT JOIN read_parquet('{events}') e ON d.dest = e.dest AND d.moment >= e.known_at
AND e.happened_at > d.moment - INTERVAL 30 DAY GROUP BY ALL) TO '{out}' (FORMAT parquet)''')
"""

# Running sums over what became known and over what left, each looked up as of the moment: no row is ever corrected.
TWO_LOOKUPS = """
import sys
import duckdb
decisions, events, out = sys.argv[1:4]
connection = duckdb.connect(config={"threads": 2})
def running(name, at):
    connection.execute(f'''CREATE TABLE {name} AS SELECT DISTINCT dest, moved_at,
    count(*) OVER past AS n, count(arr_delay) OVER past AS known, sum(arr_delay) OVER past AS total
    FROM (SELECT dest, arr_delay, {at} AS moved_at FROM read_parquet('{events}'))
    WINDOW past AS (PARTITION BY dest ORDER BY moved_at)''')
running("came", "known_at")
joins, values = "", ""
for days in (7, 30):
    running(f"left_{days}", f"happened_at + INTERVAL {days} DAY")
    joins += f" ASOF LEFT JOIN left_{days} ON d.dest = left_{days}.dest AND d.moment >= left_{days}.moved_at"
    def rest(what):
        return f"(coalesce(came.{what}, 0) - coalesce(left_{days}.{what}, 0))"
    values += f", {rest('n')} AS count_{days}, {rest('total')} / nullif({rest('known')}, 0) AS mean_{days}"
connection.execute(f'''COPY (SELECT flight_id{values} FROM read_parquet('{decisions}') d
ASOF LEFT JOIN came ON d.dest = came.dest AND d.moment >= came.moved_at{joins}) TO '{out}' (FORMAT parquet)''')
"""
