"""As many decisions as asked for, each about an entity of its own whose outcome stands in a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.review.arranging import FILE, a_decision

from pilotage.data import flow as data
from pilotage.decisions import store as ledger
from pilotage.govern.records import SYSTEM
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_BATCH = 10_000
_SPAN = timedelta(days=15)
"""Within ten maturities of the use case, so that every decision is looked at."""


def decided(work: Workspace, folder: Path, count: int) -> Definition:
    """The use case with its files synced, and ``count`` decisions of the last fifteen days in the ledger.

    The outcome of each became known four hours after it, as a sync of now saw it.
    """
    text = FILE
    for table in ("flights", "arrivals"):
        text = text.replace(
            f"    database: env:DISPATCH_DATABASE\n    table: {table}\n", f"    files: {folder}/{table}.parquet\n"
        )
    definition = defining.adopt(work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
    asked = [work.clock.now() - _SPAN + _SPAN / count * number for number in range(count)]
    _write(folder, asked)
    data.sync(work, definition)
    for start in range(0, count, _BATCH):
        _record(work, start, asked[start : start + _BATCH])
    return definition


def _write(folder: Path, asked: list[datetime]) -> None:
    now = asked[-1]
    flights = {
        "flight_id": ["none"],
        "scheduled_departure": [now],
        "published_at": [now],
        "carrier": ["UA"],
        "tail_number": ["N1"],
        "distance_miles": [1.0],
    }
    arrivals = {
        "flight_id": [f"flight-{number}" for number in range(len(asked))],
        "arr_time": [at + timedelta(hours=3) for at in asked],
        "recorded_at": [at + timedelta(hours=4) for at in asked],
        "tail_number": [f"N{number % 500}" for number in range(len(asked))],
        "arr_delay": [float(number % 60) for number in range(len(asked))],
    }
    pq.write_table(pa.table(flights), folder / "flights.parquet")
    pq.write_table(pa.table(arrivals), folder / "arrivals.parquet")


def _record(work: Workspace, first: int, asked: list[datetime]) -> None:
    made = [
        a_decision(at, id=new_id("dec", at), entity=f"flight-{number}", signals=(), inputs={})
        for number, at in enumerate(asked, first)
    ]
    with work.database.writing() as connection:
        ledger.insert_all(connection, [(each, ledger.encode(each)) for each in made], new_id("bat", asked[0]))
