"""The office's tables of one month as Parquet files, a use case over them, and its audit after they were changed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from dispatch.load import load
from dispatch.manifest import Manifest
from dispatch.settings import Settings as OfficeSettings
from pilotage.audit import flow
from pilotage.audit.records import Finding
from pilotage.data import flow as data
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.usecase.flow import parse_definition
from tests.audit.conftest import ARCHIVE, FILE

# Thresholds were set on January and May: those are not looked at here.
MONTHS = (3, 8, 10)
TABLES = ("flights", "departures", "arrivals", "outcomes", "weather", "fleet", "tower")
MORE_SOURCES = """
  fleet:
    files: FOLDER/fleet.parquet
    key: [unit]
    static: true
    owner: fleet@airline.example
  tower:
    files: FOLDER/tower.parquet
    key: [flight_id]
    event_time: scheduled_departure
    known_at: published_at
    owner: tower@airport.example
  weather:
"""
MORE_INPUTS = """
  fuel_gallons: request
  payload: {latest: fleet, by: tail_number, take: payload}
  weather:
    latest: weather
"""
# What the app sends besides: a note, which is a stand and no input, and the fuel on board.
SENT = """
    note: {kind: category, required: false}
    fuel_gallons: {kind: number, required: false}
    scheduled_departure: datetime
"""
NOTED = """
ALTER TABLE flights ADD COLUMN note VARCHAR;
ALTER TABLE flights ADD COLUMN fuel_gallons DOUBLE;
UPDATE flights SET note = 'stand ' || (1 + hash(flight_id) % 60),
    fuel_gallons = round(900 + 3.1 * distance_miles + hash('fuel' || flight_id) % 40000 / 50.0, 1)
"""
# Aircraft as maintenance lists them, made up; and the airport's own copy of the plan.
FLEET = """
CREATE TABLE fleet AS
SELECT 'U' || (1000 + n) AS unit, tail_number, CAST(6000 + hash(tail_number) % 9000 AS BIGINT) AS payload
FROM (SELECT tail_number, row_number() OVER (ORDER BY tail_number) AS n
    FROM (SELECT DISTINCT tail_number FROM flights WHERE tail_number IS NOT NULL))
"""
TOWER = """
CREATE TABLE tower AS
SELECT flight_id, carrier, flight_number, origin, destination, distance_miles, scheduled_departure, published_at
FROM flights
"""


def use_case(folder: Path) -> str:
    """The example's file over Parquet files, with a fleet list and the airport's copy beside it."""
    text = FILE.read_text()
    for table in ("flights", "departures", "arrivals", "outcomes"):
        text = text.replace(
            f"database: env:DISPATCH_DATABASE\n    table: {table}\n", f"files: FOLDER/{table}.parquet\n"
        )
    text = text.replace("env:DISPATCH_WEATHER/*.parquet", "FOLDER/weather.parquet")
    text = text.replace("\n  weather:\n    latest: weather\n", MORE_INPUTS)
    text = text.replace("\n  weather:\n", MORE_SOURCES, 1).replace("\n    scheduled_departure: datetime\n", SENT)
    return text.replace("FOLDER", str(folder))


@cache
def clean(month: int) -> Path:
    """The folder with a month's tables as they are; made once per process."""
    folder = Path(tempfile.mkdtemp(prefix=f"month-{month}-"))
    until = datetime(2013, month + 1, 1)  # noqa: DTZ001 - the office writes UTC without saying so
    settings = OfficeSettings(folder, f"sqlite:///{folder / 'office.db'}", folder / "published")
    load(settings, Manifest(months=(month, month), start=until), ARCHIVE, False, lambda line: None)
    with duckdb.connect() as engine:
        for table in ("flights", "departures", "arrivals", "outcomes"):
            _taken_over(engine, folder / "office.db", table)
        engine.execute(f"CREATE TABLE weather AS SELECT * FROM '{settings.weather_folder}/*.parquet'")
        for made in (NOTED, FLEET, TOWER):
            engine.execute(made)
        for table in TABLES:
            write(engine, folder, table)
    return folder


def _taken_over(engine: duckdb.DuckDBPyConnection, office: Path, table: str) -> None:
    """A table of the office's SQLite file with instants as instants; DuckDB's own reader is not part of its wheel."""
    with closing(sqlite3.connect(office)) as connection:
        declared = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    columns = zip(*rows, strict=True)
    rows_read = pa.table({name: pa.array(values) for name, values in zip(declared, columns, strict=True)})
    engine.register("rows_read", rows_read)
    instants = ", ".join(
        f"CAST({name} AS TIMESTAMP) AS {name}" for name, kind in declared.items() if kind == "DATETIME"
    )
    engine.execute(f"CREATE TABLE {table} AS SELECT * REPLACE ({instants}) FROM rows_read")
    engine.unregister("rows_read")


def write(engine: duckdb.DuckDBPyConnection, folder: Path, table: str) -> None:
    engine.execute(f"COPY {table} TO '{folder / table}.parquet'")


def audited(month: int, statements: Iterable[str] = (), edits: Iterable[tuple[str, str]] = ()) -> tuple[Finding, ...]:
    """The findings on a month after SQL was run on its tables and the use case's file was edited."""
    with tempfile.TemporaryDirectory() as made, duckdb.connect(config={"threads": 1}) as engine:
        folder = Path(made)
        for table in TABLES:
            engine.execute(f"CREATE TABLE {table} AS SELECT * FROM '{clean(month) / table}.parquet'")
        for statement in statements:
            engine.execute(statement)
        for (table,) in engine.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall():
            write(engine, folder, table)
        text = use_case(folder)
        for old, new in edits:
            if old not in text:
                raise ValueError(f"the use case has no {old!r}")
            text = text.replace(old, new.replace("FOLDER", str(folder)), 1)
        definition = parse_definition(text, "planted.yaml")
        now = datetime(2013, month + 1, 1, tzinfo=UTC)
        with closing(open_workspace(Settings(home=folder / "home"), FixedClock(now))) as work:
            data.sync(work, definition)
            return flow.run(work, definition).findings


def serious(findings: Iterable[Finding]) -> list[Finding]:
    """What blocks or warns."""
    return [finding for finding in findings if finding.severity != "informs"]


def unset() -> None:
    """Addresses of another office must not reach this one."""
    for name in [name for name in os.environ if name.startswith(("PILOTAGE_", "DISPATCH_"))]:
        del os.environ[name]
