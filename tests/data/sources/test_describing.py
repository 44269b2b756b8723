"""A stranger's folder, described as the sources that could be made of it."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from pilotage.data.sources.databases.sqlite_files import is_sqlite
from pilotage.data.sources.files import Described, describe, survey
from pilotage.platform.errors import NotFound
from tests.data.sources.asking import asked_for, failure_of, rows_of


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


def test_compressed_files_are_sources_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "orders.csv.zip", "w") as archive:
        archive.writestr("orders.csv", "id\n007\n")
        archive.writestr("__MACOSX/._orders.csv", "x")
    (tmp_path / "letter.pdf").write_text("x")
    (tmp_path / "all.zip").write_text("x")
    found = survey(str(tmp_path))
    assert [one.name for one in found.sources] == ["orders"]
    assert found.skipped == (f"{tmp_path}/all.zip", f"{tmp_path}/letter.pdf")
    assert rows_of(asked_for(found.sources[0].address)) == [{"id": "007"}]
    (tmp_path / "orders.csv.zip").unlink()
    with pytest.raises(NotFound, match=r"it holds all\.zip, letter\.pdf"):
        survey(str(tmp_path))


def test_a_zip_archive_of_several_files_is_refused_with_their_names(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
        archive.writestr("b.csv", "id\n2\n")
    assert "it holds 2 files, and one is wanted (a.csv, b.csv)" in failure_of(asked_for(tmp_path / "a.csv.zip"))


def test_a_name_with_signs_of_a_pattern_means_the_file_itself(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"a[x]{number}.csv").write_text(f"id\n00{number}\n")
    (pattern,) = describe(str(tmp_path))
    assert sorted(row["id"] for row in rows_of(asked_for(pattern.address))) == ["001", "002"]
    (one,) = describe(str(tmp_path / "a[x]1.csv"))
    assert rows_of(asked_for(one.address)) == [{"id": "001"}]


def test_a_web_address_is_one_file_or_refused_as_one() -> None:
    assert describe("https://example.org/in/orders.csv.gz?year=2013")[0].name == "orders"
    with pytest.raises(NotFound, match=r"https://example\.org/api names no file .* `rest:`"):
        describe("https://reader:hunter2@example.org/api")


def test_a_sqlite_file_is_known_by_how_it_begins(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.backup") as connection:
        connection.execute("CREATE TABLE t (a)")
    (tmp_path / "a.db").write_text("SQLite")
    assert is_sqlite(tmp_path / "shop.backup")
    assert not is_sqlite(tmp_path / "a.db")
    assert not is_sqlite(tmp_path)
    assert not is_sqlite(tmp_path / "none")
