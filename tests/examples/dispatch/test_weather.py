"""The weather service's files hold the hours published so far, no more and no fewer."""

from datetime import timedelta

import pyarrow.parquet as pq

from dispatch.advance import advance
from dispatch.office import Office

from .conftest import START
from .contents import weather_of


def test_files_hold_what_is_published(office: Office) -> None:
    now = advance(office, START + timedelta(hours=5, minutes=9))
    published = pq.read_table(office.world.path("weather"), filters=[("published_at", "<=", now)]).num_rows
    files = weather_of(office)
    hours = [hour for rows in files.values() for hour in rows]
    assert len(hours) == published
    assert all(str(hour["published_at"]) <= str(now) for hour in hours)
    assert all(str(hour["observed_at"]).startswith(name.removesuffix(".parquet"))
               for name, rows in files.items() for hour in rows)  # fmt: skip
    assert max(files) == "2013-01-04.parquet"


def test_an_hour_appears_ten_minutes_after_it_was_observed(office: Office) -> None:
    today = office.weather_folder / "2013-01-04.parquet"
    before = pq.read_metadata(today).num_rows
    advance(office, START + timedelta(minutes=9))
    assert pq.read_metadata(today).num_rows == before
    advance(office, START + timedelta(minutes=10))
    assert pq.read_metadata(today).num_rows == before + 3


def test_the_world_has_the_columns_planners_know(office: Office) -> None:
    columns = pq.read_schema(office.weather_folder / "2013-01-03.parquet").names
    assert columns == [
        "origin", "observed_at", "published_at", "temp_f", "dewpoint_f", "humidity", "wind_direction",
        "wind_speed_mph", "wind_gust_mph", "precipitation_in", "pressure_mb", "visibility_miles",
    ]  # fmt: skip
