"""Turns the archive's local clock readings into UTC instants, as DuckDB SQL.

The archive gives the scheduled departure in UTC (to the hour) but the scheduled arrival as a clock reading at the
destination. The arrival is the first such reading after the departure; the actual arrival is that instant plus the
delay, which also gets right the flights that are a day late.
"""

import duckdb

from .errors import DispatchError

# Puerto Rico and the Virgin Islands have no time zone in airports.csv.
ZONE_WHERE_MISSING = "America/Puerto_Rico"

TIMETABLE = f"""
CREATE TABLE timetable AS
WITH zoned AS (
    SELECT flight.*, make_date(year, month, day) AS flight_date,
           coalesce(airport.tzone, '{ZONE_WHERE_MISSING}') AS zone,
           timezone('UTC', time_hour) + to_minutes(minute) AS scheduled_departure
    FROM flight LEFT JOIN airport ON airport.faa = flight.dest
    WHERE month BETWEEN $first AND $last
), local AS (
    SELECT *, timezone(zone, timezone('UTC', scheduled_departure)) AS departure_there FROM zoned
), reading AS (
    SELECT *, date_trunc('day', departure_there)
              + to_minutes((sched_arr_time // 100) * 60 + sched_arr_time % 100) AS arrival_there
    FROM local
), arriving AS (
    SELECT *, timezone('UTC', timezone(zone, arrival_there + CASE WHEN arrival_there <= departure_there
                                                             THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END)
              ) AS scheduled_arrival
    FROM reading
)
SELECT strftime(flight_date, '%Y%m%d') || '-' || carrier || flight || '-' || origin AS flight_id,
       flight_date, carrier, flight::INTEGER AS flight_number, tailnum AS tail_number, origin, dest AS destination,
       scheduled_departure, scheduled_arrival, distance::DOUBLE AS distance_miles,
       scheduled_departure + to_minutes(dep_delay) AS dep_time, dep_delay::DOUBLE AS dep_delay,
       scheduled_arrival + to_minutes(arr_delay) AS arr_time, arr_delay::DOUBLE AS arr_delay,
       air_time::DOUBLE AS air_time, arr_time IS NOT NULL AS landed_somewhere
FROM arriving
"""

# A flight cannot be under way for less time than it was in the air, nor for hours more.
IMPLAUSIBLE = """
SELECT count(*) FROM timetable
WHERE arr_delay IS NOT NULL
  AND date_diff('minute', dep_time, arr_time) - air_time NOT BETWEEN 0 AND 300
"""


def make_timetable(connection: duckdb.DuckDBPyConnection, first_month: int, last_month: int) -> None:
    """Creates table `timetable` (UTC instants, delays in minutes) from tables `flight` and `airport`."""
    connection.execute(TIMETABLE, {"first": first_month, "last": last_month})
    found = connection.execute(IMPLAUSIBLE).fetchone()
    if found is None or found[0]:
        raise DispatchError(f"{found and found[0]} flights have arrival times their air time contradicts.")
