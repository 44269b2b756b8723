"""A stranger's folder, described as the sources that could be made of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from pilotage.data.sources.files import Described, describe
from pilotage.platform.errors import NotFound


def test_parts_of_one_table_are_one_source_and_delta_folders_their_own(tmp_path: Path) -> None:
    for name in [
        "weather-2013-01.parquet", "weather-2013-02.parquet", "weather-stations.parquet",
        "planes.csv", "Orders (2013).xlsx", "_SUCCESS", "notes.md",
        "sales_2013.csv", "sales_2014.csv", "part-00000-f2f5827c-c403-4aa4-99d8-b06de0cc5c91-c000.snappy.parquet",
    ]:  # fmt: skip
        (tmp_path / name).write_text("x")
    for day in ("2013-01-01", "2013-01-02"):
        (tmp_path / "visits" / f"day={day}").mkdir(parents=True)
        (tmp_path / "visits" / f"day={day}" / "part-0.parquet").write_text("x")
    write_deltalake(tmp_path / "returns", pa.table({"id": [1]}))
    found = {one.name: (one.address.removeprefix(f"{tmp_path}/"), one.kind) for one in describe(str(tmp_path))}
    assert found["weather"] == ("weather-[0-9]*.parquet", "files")
    assert found["weather_stations"] == ("weather-stations.parquet", "files")
    assert found["planes"] == ("planes.csv", "files")
    assert found["orders"] == ("Orders (2013).xlsx", "files")
    assert found["sales"] == ("sales_*.csv", "files")
    assert found["visits"] == ("visits/day=*/part-*.parquet", "files")
    assert found["returns"] == ("returns", "delta")
    assert not any("notes" in address or "SUCCESS" in address for address, _ in found.values())


def test_a_file_and_a_pattern_are_one_source(tmp_path: Path) -> None:
    (tmp_path / "2013 orders.csv").write_text("id\n1\n")
    assert describe(f"{tmp_path}/2013 orders.csv") == [Described("orders", f"{tmp_path}/2013 orders.csv")]
    assert describe(f"{tmp_path}/weather-*.csv") == [Described("weather", f"{tmp_path}/weather-*.csv")]


def test_a_folder_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="can be read"):
        describe(str(tmp_path))
    with pytest.raises(NotFound):
        describe(str(tmp_path / "none"))
