"""Parquet: typed columns, folders that name partitions, and numbers wider than 64 bits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pilotage.data import sources
from pilotage.data.records import Extent, Span
from tests.data.sources.asking import asked_for, failure_of, naive, rows_of, types_of


def test_types_are_kept_and_texts_are_never_numbers(tmp_path: Path) -> None:
    zoned = pa.array([datetime(2013, 1, 1, 5, tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin"))
    columns = {"id": ["00123"], "n": [1], "x": [0.5], "b": [True], "day": [date(2013, 1, 1)], "at": zoned}
    columns |= {"l": [[1, 2]], "s": [{"a": 1}], "bytes": [b"x"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert types_of(asked_for(tmp_path / "a.parquet")) == {
        "id": "VARCHAR", "n": "BIGINT", "x": "DOUBLE", "b": "BOOLEAN", "day": "TIMESTAMP", "at": "TIMESTAMP",
        "l": "VARCHAR", "s": "VARCHAR", "bytes": "VARCHAR",
    }  # fmt: skip
    row = rows_of(asked_for(tmp_path / "a.parquet"))[0]
    assert (row["id"], row["at"], row["day"]) == ("00123", naive(2013, 1, 1, 5), naive(2013, 1, 1))


def test_whole_numbers_wider_than_64_bits_stay_exact(tmp_path: Path) -> None:
    small, large = Decimal("12345678901234567"), Decimal("12345678901234567890123456789")
    columns = {
        "small": pa.array([small], pa.decimal128(38, 0)),
        "large": pa.array([large], pa.decimal128(38, 0)),
        "unsigned": pa.array([2**64 - 1], pa.uint64()),
        "price": pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert rows_of(asked_for(tmp_path / "a.parquet")) == [
        {"small": 12345678901234567, "large": str(large), "unsigned": str(2**64 - 1), "price": 1.5}
    ]


def test_folders_that_name_a_partition_are_columns_and_keep_their_zeros(tmp_path: Path) -> None:
    for store, day in [("007", "2013-01-01"), ("008", "2013-01-02")]:
        folder = tmp_path / f"store={store}" / f"day={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"id": [store], "x": [1]}), folder / "part-0.parquet")
    found = rows_of(asked_for(f"{tmp_path}/**/*.parquet"))
    assert sorted((row["store"], row["day"]) for row in found) == [
        ("007", naive(2013, 1, 1)),
        ("008", naive(2013, 1, 2)),
    ]


def test_the_extent_of_a_span_is_told(tmp_path: Path) -> None:
    at = [naive(2013, 1, day) for day in range(1, 11)]
    pq.write_table(pa.table({"id": list(range(10)), "at": at}), tmp_path / "a.parquet")
    asked = asked_for(tmp_path / "a.parquet", event_time="at", known_at="at")
    columns = sources.introspect(asked)
    after = datetime(2013, 1, 5, tzinfo=UTC)
    assert sources.extent(asked, columns, Span(after)) == Extent(6, after, datetime(2013, 1, 10, tzinfo=UTC))
    static = asked_for(tmp_path / "a.parquet", event_time="_seen_at", known_at="_seen_at")
    assert sources.extent(static, columns, Span()) == Extent(10, None, None)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"this is not Parquet at all")
    assert "bad.parquet" in failure_of(asked_for(tmp_path / "*.parquet"))
    (tmp_path / "bad.parquet").write_bytes(b"")
    assert "bad.parquet" in failure_of(asked_for(tmp_path / "*.parquet"))


def test_columns_that_differ_only_in_case_are_refused_and_never_renamed(tmp_path: Path) -> None:
    inner = pa.array([{"id": 1}], pa.struct([("id", pa.int64())]))
    pq.write_table(pa.table({"x": inner, "id": ["1"], "ID": ["2"]}), tmp_path / "a.parquet")
    said = failure_of(asked_for(tmp_path / "a.parquet"))
    assert "a.parquet has the columns id and ID, which differ only in case" in said
    pq.write_table(pa.table({"x": inner, "id": ["1"], "id_1": ["2"]}), tmp_path / "a.parquet")
    assert rows_of(asked_for(tmp_path / "a.parquet"))[0]["id_1"] == "2"
