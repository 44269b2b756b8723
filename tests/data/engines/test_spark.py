"""January's flights and weather of New York on Spark: the training set that the embedded engine makes."""

from __future__ import annotations

import random
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pilotage.data import flow
from pilotage.data.engines import spark
from pilotage.data.flow.differing import APART_MAX, first_difference, told_apart
from pilotage.data.records import TrainingSet
from pilotage.data.rules import manifests
from pilotage.data.rules.direct import to_spark
from pilotage.data.rules.training import inexact_columns
from pilotage.platform.engine import analytical
from pilotage.platform.errors import SettingsError, SourceUnavailable
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import latest_evidence, parse_definition
from pilotage.usecase.records import Definition
from pilotage.usecase.rules import expressions
from tests.models.flights import ARCHIVE, unpack
from tests.usecase.grammar import KNOWN, every_shape
from tests.usecase.test_expressions_on_engines import MOMENTS, NUMBERS, WORDS

MASTER = "local[2]"
TEXT = """
use_case: late_arrival
title: Late arrivals
owner: dispatch@airline.example
brief:
  workflow: Planners rebook passengers.
  users: Planners
  decision: Prepare a rebooking or not.
  kpi: Cost
  value: {currency: USD, caught: 180, false_alarm: -60}
sources:
  departures: {files: FOLDER/departures.parquet, key: [flight_id], event_time: scheduled, known_at: scheduled}
  arrivals:
    {files: FOLDER/arrivals.parquet, key: [flight_id], event_time: arrived, known_at: reported, deleted: withdrawn}
  weather: {files: FOLDER/weather.parquet, key: [origin, hour], event_time: hour, known_at: hour}
  planes: {files: FOLDER/planes.parquet, key: [tail_number], static: true}
decision:
  entity: flight_id
  source: departures
  request:
    carrier: category
    origin: category
    tail_number: {kind: category, required: false}
    flight: number
    scheduled: datetime
outcome: {source: arrivals, positive: arr_delay > 30, says: arrives late}
inputs:
  aircraft: {latest: arrivals, by: tail_number, take: arr_delay, within: 1 day}
  aircraft_late: {latest: arrivals, by: tail_number, take: origin, kind: category, where: arr_delay > 10}
  seen: {latest: arrivals, by: tail_number, take: arrived, kind: datetime, within: 2 days}
  both: {latest: arrivals, by: [flight, origin], take: arr_delay, within: 3 days}
  weather: {latest: weather, by: origin, take: [temp, wind_speed, precip], within: 6 hours}
  seats: {latest: planes, by: tail_number, take: seats}
  gusts: {windows: weather, by: origin, take: wind_speed, aggregate: max, over: [6 hours, 1 day]}
  delays: {windows: arrivals, by: [carrier, origin], take: arr_delay, aggregate: mean, over: [6 hours, 1 day]}
  total: {windows: arrivals, by: origin, take: arr_delay, aggregate: sum, over: 1 day}
  spread: {windows: arrivals, by: carrier, take: arr_delay, aggregate: std, over: 1 day}
  least: {windows: arrivals, by: carrier, take: arr_delay, aggregate: min, where: origin <> 'JFK', over: 1 day}
  late: {windows: arrivals, by: carrier, aggregate: share, where: arr_delay > 15, over: [6 hours, 1 day]}
  quiet: {windows: arrivals, by: tail_number, aggregate: since, over: 2 days}
  tails: {windows: arrivals, by: origin, take: tail_number, aggregate: distinct, over: 1 day}
  flown: {windows: arrivals, by: tail_number, aggregate: count, over: 1 day}
  ratio: {derived: "aircraft / NULLIF(sum_arr_delay_by_origin_1d, 0)"}
rule: {positive: aircraft > 30, says: the aircraft was late}
policy: {actions: {positive: Rebook, negative: Leave}}
"""
_RAW = """
CREATE TABLE raw AS SELECT *, carrier || flight || origin || strftime(departs, '%m%d%H%M') AS flight_id,
  (departs + (dep_delay + air_time + 30) * INTERVAL 1 MINUTE)::TIMESTAMP AS arrived, row_number() OVER () AS n
FROM (SELECT *, time_hour::TIMESTAMP + minute * INTERVAL 1 MINUTE AS departs
      FROM read_csv('{folder}/flights.csv', nullstr='NA'))
WHERE month = 1
"""
_MADE = {
    "departures": """SELECT flight_id, carrier, origin, tailnum AS tail_number, flight::DOUBLE AS flight,
       departs AS scheduled FROM raw WHERE n % 9 = 0""",
    # Every row as it was first reported, up to 4 hours late; every 7th corrected, every 50th withdrawn later.
    "arrivals": """
SELECT flight_id, carrier, origin, tailnum AS tail_number, flight::DOUBLE AS flight, arr_delay::DOUBLE AS arr_delay,
       arrived, arrived + (n % 5) * INTERVAL 1 HOUR AS reported, false AS withdrawn FROM raw WHERE arrived IS NOT NULL
UNION ALL SELECT flight_id, carrier, CASE WHEN n % 2 = 0 THEN origin ELSE 'LGA' END, tailnum, flight::DOUBLE,
       CASE WHEN n % 3 = 0 THEN NULL ELSE arr_delay + 7.3 END, arrived, arrived + INTERVAL 9 HOUR, false
FROM raw WHERE n % 7 = 0 AND arrived IS NOT NULL
UNION ALL SELECT flight_id, carrier, origin, tailnum, flight::DOUBLE, NULL, arrived, arrived + INTERVAL 11 HOUR, true
FROM raw WHERE n % 50 = 0 AND arrived IS NOT NULL""",
    "weather": """SELECT origin, time_hour::TIMESTAMP AS hour, temp, wind_speed, precip
FROM read_csv('{folder}/weather.csv', nullstr='NA') WHERE month = 1""",
    "planes": """SELECT DISTINCT tailnum AS tail_number, length(tailnum) * 30 AS seats
FROM raw WHERE tailnum IS NOT NULL""",
}


@pytest.fixture(scope="module")
def one_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Spark for the module, which a build finds and uses; compiled quickly rather than well, as it is short."""
    patch = pytest.MonkeyPatch()
    patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    patch.setitem(spark._LOCAL, "spark.sql.shuffle.partitions", "4")
    try:
        spark.version()
        with spark.session(MASTER, tmp_path_factory.mktemp("spark")) as session:
            yield session
    except SettingsError as error:
        warnings.warn(f"NOT TESTED: columns on Spark ({error.message})", stacklevel=1)
        pytest.skip(error.message)
    finally:
        patch.undo()


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Definition]]:
    if not ARCHIVE.exists():
        pytest.skip("flights are not at hand")
    folder = tmp_path_factory.mktemp("flights")
    unpack(folder)
    with analytical() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_RAW.format(folder=folder))
        for name, sql in _MADE.items():
            path = folder / f"{name}.parquet"
            connection.execute(f"COPY ({sql.format(folder=folder)}) TO '{path}' (FORMAT parquet)")
    definition = parse_definition(TEXT.replace("FOLDER", str(folder)), "flights.yaml")
    work = open_workspace(Settings(home=tmp_path_factory.mktemp("home with a space"), spark_master=MASTER))
    flow.sync(work, definition)
    yield work, definition
    work.close()


@pytest.fixture(scope="module")
def built(synced: tuple[Workspace, Definition], one_spark: Any) -> tuple[TrainingSet, TrainingSet]:
    """The set as DuckDB and as Spark make it."""
    work, definition = synced
    started = time.perf_counter()
    embedded = flow.build(work, definition)
    between = time.perf_counter()
    distributed = flow.build(work, definition, "spark")
    seconds = (between - started, time.perf_counter() - between)
    print(f"\n{embedded.rows:,} decisions: DuckDB {seconds[0]:.1f} s, Spark {MASTER} {seconds[1]:.1f} s")
    return embedded, distributed


def test_spark_makes_the_training_set_of_duckdb(
    synced: tuple[Workspace, Definition], built: tuple[TrainingSet, TrainingSet]
) -> None:
    """Counts, shares, newest values, extremes, distinct values, rule, label: to the last bit. Sums within 1e-9."""
    work, definition = synced
    embedded, distributed = (flow.training_rows(work, each) for each in built)
    assert embedded.num_rows > 2_500
    inexact = inexact_columns(definition.plan)
    assert "ratio" in inexact and len(inexact) == 7
    exact = [name for name in embedded.column_names if name not in inexact]
    assert len(exact) >= 20
    assert first_difference(embedded.select(exact), distributed.select(exact)) is None
    apart, alike = told_apart(embedded, distributed, inexact)
    assert apart is not None and apart < 1e-12
    assert first_difference(embedded, alike) is None
    print(f"\n{len(exact)} columns to the last bit, {len(inexact)} at most {apart:.1e} of their size apart")


def test_every_column_has_values_and_gaps_are_the_same(
    synced: tuple[Workspace, Definition], built: tuple[TrainingSet, TrainingSet]
) -> None:
    work, definition = synced
    embedded, distributed = (flow.training_rows(work, each) for each in built)
    for name in definition.plan.names:
        assert embedded[name].null_count == distributed[name].null_count < embedded.num_rows, name


def test_the_manifest_names_the_engine_and_accounts_for_the_same_rows(
    synced: tuple[Workspace, Definition], built: tuple[TrainingSet, TrainingSet]
) -> None:
    work, definition = synced
    embedded, distributed = built
    assert embedded.engine.startswith("duckdb ")
    assert distributed.engine == spark.version()
    kept = latest_evidence(work, definition.name, "training_set")
    assert kept is not None and kept.body["engine"] == spark.version()
    assert (distributed.rows_in, distributed.excluded) == (embedded.rows_in, embedded.excluded)
    assert (distributed.labelled, distributed.positives) == (embedded.labelled, embedded.positives)
    assert not list(work.lake.spill.glob("*"))


def test_duckdb_proves_what_spark_made_and_says_how_far_sums_are_apart(
    synced: tuple[Workspace, Definition], built: tuple[TrainingSet, TrainingSet]
) -> None:
    work, definition = synced
    proof = flow.prove(work, definition, built[1])
    assert proof.same and proof.apart is not None and proof.apart <= APART_MAX
    said = manifests.rebuilt(built[1], proof)[0]
    assert said.startswith("Rebuilt from its snapshots by another engine: identical but for sums")
    assert flow.prove(work, definition, built[0]).apart is None


def test_a_sum_that_is_further_off_is_named_as_a_difference(
    synced: tuple[Workspace, Definition], built: tuple[TrainingSet, TrainingSet]
) -> None:
    import pyarrow as pa

    work, definition = synced
    rows = flow.training_rows(work, built[0])
    name = next(name for name in rows.column_names if "total" in name or "sum" in name)
    place = next(n for n, value in enumerate(rows[name].to_pylist()) if value)
    for factor, found in ((1 + 1e-12, False), (1 + 1e-6, True)):
        values = rows[name].to_pylist()
        values[place] *= factor
        other = rows.set_column(rows.column_names.index(name), name, pa.array(values, pa.float64()))
        apart, alike = told_apart(rows, other, inexact_columns(definition.plan))
        difference = first_difference(rows, alike)
        assert apart is not None and (difference is not None) == found
        assert difference is None or (difference.row, difference.column) == (place + 1, name)


def test_expressions_have_the_value_of_their_closure(one_spark: Any, tmp_path: Path) -> None:
    """Every fourth shape of the grammar, each with words, numbers and instants at the edges."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random_ = random.Random(3)
    moments = [moment for moment in MOMENTS if moment.year > 1]  # the driver cannot show the year 1
    choices: dict[str, list[Any]] = {
        "delay": [None, *NUMBERS],
        "stops": [None, 3, -2, 0, 2**53],
        "carrier": [None, *WORDS],
        "note": [None, *WORDS],
        "late": [None, True, False],
        "departure": [None, *moments],
        "arrival": [None, *moments],
    }
    rows = [{name: random_.choice(values) for name, values in choices.items()} for _ in range(60)]
    types = {"number": pa.float64(), "category": pa.string(), "flag": pa.bool_(), "datetime": pa.timestamp("us")}
    schema = pa.schema([(name, pa.int64() if name == "stops" else types[kind]) for name, kind in KNOWN.items()])
    pq.write_table(pa.Table.from_pylist([{**row} for row in rows], schema), tmp_path / "rows.parquet")
    one_spark.read.parquet(f"file:{tmp_path}/rows.parquet").coalesce(1).createOrReplaceTempView("rows")
    texts = list(dict.fromkeys(every_shape()))[::4]
    wrong = []
    for start in range(0, len(texts), 90):
        part = texts[start : start + 90]
        written = ", ".join(_on_spark(text, f"c{n}") for n, text in enumerate(part))
        for row, values in zip(rows, one_spark.sql(f"SELECT {written} FROM rows").collect(), strict=True):
            for text, value in zip(part, values, strict=True):
                meant = expressions.compile_row(text)(row)
                given = value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
                if type(given) is not type(meant) or given != meant:
                    wrong.append((text, row, meant, value))
    assert len(texts) > 150
    assert wrong == []


def _on_spark(text: str, name: str) -> str:
    return re.sub(r"^SELECT\s", "", to_spark(f"SELECT {expressions.to_sql(text, kinds=KNOWN)} AS {name}"))


def test_a_number_that_spark_would_write_otherwise_is_refused(one_spark: Any) -> None:
    from pyspark.errors import PySparkException

    written = to_spark("SELECT CAST(CAST(n AS DOUBLE) AS VARCHAR) AS t FROM v")

    def text(number: float) -> str:
        one_spark.sql(f"SELECT CAST('{number!r}' AS DOUBLE) AS n").createOrReplaceTempView("v")
        found: str = one_spark.sql(written).collect()[0][0]
        return found

    assert [text(n) for n in (5.0, 12345678.5, 0.0, -0.25)] == ["5", "12345678.5", "0", "-0.25"]
    with pytest.raises(PySparkException, match=r"Spark cannot write 1.0E20 as text"):
        text(1e20)


def test_what_spark_could_not_do_is_told_with_its_reason(
    synced: tuple[Workspace, Definition], one_spark: Any, tmp_path: Path
) -> None:
    work, definition = synced
    found = {name: flow.snapshot(work, definition.name, name) for name in definition.use_case.sources}
    with pytest.raises(SourceUnavailable, match=r"Spark could not make the columns of late_arrival: .*PATH_NOT_FOUND"):
        spark.write_columns(one_spark, work.lake, definition, found, tmp_path / "none.parquet", tmp_path / "out")


def test_without_java_or_without_the_extra_the_repair_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def found(name: str) -> Callable[[str], object]:
        return lambda asked: None if asked == name else object()

    monkeypatch.setattr("importlib.util.find_spec", found("pyspark"))
    with pytest.raises(SettingsError, match=r"pip install 'pilotage\[spark\]'"), spark.session(MASTER, tmp_path):
        pass
    monkeypatch.setattr("importlib.util.find_spec", found(""))
    monkeypatch.setattr(shutil, "which", found("java"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(SettingsError, match="needs Java"), spark.session(MASTER, tmp_path):
        pass
