"""The weather service's files: one Parquet file per UTC day of observation, with the hours published so far."""

import os
from datetime import datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .world import World

# Long enough that an hour missed by a crash is written by the next step.
LOOK_BACK = timedelta(hours=24)


def publish_history(world: World, folder: Path, until: datetime) -> int:
    """Writes every day published by the instant (UTC); says how many files the folder should have."""
    return _publish(world, folder, datetime.fromisoformat("1970-01-01T00:00"), until)


def publish_recent(world: World, folder: Path, until: datetime) -> None:
    """Brings up to date the files of the days published from in the last 24 hours."""
    _publish(world, folder, until - LOOK_BACK, until)


def _publish(world: World, folder: Path, since: datetime, until: datetime) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    midnight = datetime.combine(since.date(), time.min)
    known = pq.read_table(
        world.path("weather"), filters=[("observed_at", ">=", midnight), ("published_at", "<=", until)]
    )
    days = pc.cast(known["observed_at"], pa.date32())
    present = sorted(day for day in days.unique().to_pylist() if day is not None)
    for day in present:
        _write_day(folder / f"{day:%Y-%m-%d}.parquet", known.filter(pc.equal(days, pa.scalar(day, pa.date32()))))
    return len(present)


def _write_day(path: Path, hours: pa.Table) -> None:
    """A reader sees the whole old file or the whole new one; a file that already has these hours is left alone."""
    if path.exists() and pq.read_metadata(path).num_rows >= hours.num_rows:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    pq.write_table(hours, temporary)
    temporary.replace(path)


def remove_weather(folder: Path) -> None:
    """Empties the folder before a rebuild; only files named like a day are touched."""
    for path in folder.glob("????-??-??.parquet"):
        path.unlink()
