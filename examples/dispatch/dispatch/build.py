"""Builds the world: Parquet files of everything that happens, each row with the instant it becomes known."""

import shutil
from pathlib import Path

import duckdb

from .archive import unpacked
from .timetable import make_timetable

EVENTS = {
    "flights": """
        SELECT flight_id, flight_date, carrier, flight_number, tail_number, origin, destination,
               scheduled_departure, scheduled_arrival, distance_miles,
               scheduled_departure - INTERVAL 24 HOUR AS published_at
        FROM timetable ORDER BY published_at, flight_id""",
    "departures": """
        SELECT flight_id, dep_time, dep_delay, dep_time AS recorded_at
        FROM timetable WHERE dep_time IS NOT NULL ORDER BY recorded_at, flight_id""",
    "arrivals": """
        SELECT flight_id, carrier, tail_number, origin, destination, dep_delay, arr_time, arr_delay, air_time,
               arr_time AS recorded_at
        FROM timetable WHERE arr_time IS NOT NULL ORDER BY recorded_at, flight_id""",
    # A flight that left after its arrival was given up would be diverted before it departed: it waits for departure.
    "cancellations": """
        SELECT flight_id,
               CASE WHEN dep_time IS NULL THEN 'cancelled'
                    WHEN landed_somewhere THEN 'diverted' ELSE 'no record' END AS kind,
               CASE WHEN dep_time IS NULL THEN scheduled_departure
                    ELSE greatest(scheduled_arrival + INTERVAL 3 HOUR, dep_time) END AS recorded_at
        FROM timetable WHERE arr_time IS NULL ORDER BY recorded_at, flight_id""",
    "weather": """
        SELECT origin, timezone('UTC', time_hour) AS observed_at,
               timezone('UTC', time_hour) + INTERVAL 10 MINUTE AS published_at,
               temp AS temp_f, dewp AS dewpoint_f, humid AS humidity, wind_dir::DOUBLE AS wind_direction,
               wind_speed AS wind_speed_mph, wind_gust AS wind_gust_mph, precip AS precipitation_in,
               pressure AS pressure_mb, visib AS visibility_miles
        FROM weather WHERE month BETWEEN {first} AND {last} ORDER BY published_at, origin""",
}

REFERENCE = {
    "airports": """
        SELECT faa AS airport, name, lat AS latitude, lon AS longitude, alt::INTEGER AS altitude_feet,
               tzone AS time_zone FROM airport ORDER BY faa""",
    "airlines": "SELECT carrier, name FROM airline ORDER BY carrier",
    "planes": """
        SELECT tailnum AS tail_number, year::INTEGER AS built, type AS kind, manufacturer, model,
               engines::INTEGER AS engines, seats::INTEGER AS seats, engine FROM plane ORDER BY tailnum""",
}

SOURCES = {"flight": "flights", "airport": "airports", "plane": "planes", "airline": "airlines", "weather": "weather"}


def build_world(archive: Path, folder: Path, months: tuple[int, int]) -> None:
    """Writes one Parquet file per kind of event into the folder, replacing it whole."""
    building = folder.with_name(folder.name + ".building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    with unpacked(archive) as source, duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        _read_sources(connection, source)
        make_timetable(connection, *months)
        first, last = months
        for name, query in (EVENTS | REFERENCE).items():
            _write(connection, query.format(first=first, last=last), building / f"{name}.parquet")
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)


def _read_sources(connection: duckdb.DuckDBPyConnection, source: Path) -> None:
    for table, file in SOURCES.items():
        path = str(source / f"{file}.csv")
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv($path, nullstr = 'NA')", {"path": path})


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Small row groups let a one-minute step of the clock read a few thousand rows, not a year."""
    quoted = str(path).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{quoted}' (FORMAT parquet, ROW_GROUP_SIZE 10000)")
