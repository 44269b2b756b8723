"""Delta tables: a version is referenced by its files, and stays readable when there are newer ones."""

from __future__ import annotations

import base64
import json
import struct
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from pilotage.data import sources
from pilotage.data.records import Reference, Span
from pilotage.data.sources import delta
from pilotage.data.sources.asked import Asked
from pilotage.platform.engine import analytical
from tests.data.sources.asking import asked_for, failure_of, naive, rows_of, types_of


def visits(day: int, count: int) -> pa.Table:
    at = [datetime(2013, 1, day, hour, tzinfo=UTC) for hour in range(count)]
    return pa.table(
        {
            "id": [f"{day:02}-{hour:03}" for hour in range(count)],
            "store": ["n o", "s/x"] * (count // 2),
            "day": [date(2013, 1, day)] * count,
            "score": [hour / 2 for hour in range(count)],
            "at": pa.array(at, pa.timestamp("us", tz="UTC")),
        }
    )


def of(path: Path | str, **declared: Any) -> Asked:
    return asked_for(delta=str(path), **({"event_time": "at", "known_at": "at"} | declared))


def counted(asked: Asked, found: Reference) -> int:
    """The rows of a version, read as a snapshot would that refers to it."""
    with analytical() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        delta.reach(connection, asked, found)
        relation = delta.relation_sql(found, sources.introspect(asked))
        return int(connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def test_columns_come_from_the_schema_also_those_that_lie_in_folders(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", visits(1, 4), partition_by=["store", "day"])
    asked = of(tmp_path / "t")
    assert types_of(asked) == {
        "id": "VARCHAR", "store": "VARCHAR", "day": "TIMESTAMP", "score": "DOUBLE", "at": "TIMESTAMP"
    }  # fmt: skip
    row = next(row for row in rows_of(asked) if row["id"] == "01-001")
    assert row == {
        "id": "01-001", "store": "s/x", "day": naive(2013, 1, 1), "score": 0.5, "at": naive(2013, 1, 1, 1),
    }  # fmt: skip


def test_a_version_is_still_read_when_there_are_newer_ones(tmp_path: Path) -> None:
    path = tmp_path / "t"
    write_deltalake(path, visits(1, 4))
    asked = of(path)
    first = sources.reference(asked)
    write_deltalake(path, visits(2, 6), mode="append")
    second = sources.reference(asked)
    DeltaTable(path).delete("id = '01-000'")
    third = sources.reference(asked)
    assert first is not None
    assert second is not None
    assert third is not None
    assert [found.version for found in (first, second, third)] == [0, 1, 2]
    assert [counted(asked, found) for found in (first, second, third)] == [4, 10, 9]
    assert all(Path(file).is_absolute() for file in second.files)


def test_a_column_that_was_added_is_null_in_older_files(tmp_path: Path) -> None:
    path = tmp_path / "t"
    write_deltalake(path, visits(1, 2))
    DeltaTable(path).alter.add_columns(delta_field("grade", "string"))
    assert [row["grade"] for row in rows_of(of(path))] == [None, None]
    wider = visits(2, 2).append_column("grade", pa.array(["007", "NA"]))
    write_deltalake(path, wider, mode="append", schema_mode="merge")
    assert {row["grade"] for row in rows_of(of(path))} == {None, "007", "NA"}


def delta_field(name: str, kind: str) -> Any:
    from deltalake.schema import Field, PrimitiveType

    return Field(name, PrimitiveType(kind))


def test_a_span_and_its_extent_are_told(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", visits(1, 10))
    asked = of(tmp_path / "t")
    span = Span(datetime(2013, 1, 1, 3, tzinfo=UTC), datetime(2013, 1, 1, 5, tzinfo=UTC))
    assert sorted(row["id"] for row in rows_of(asked, span)) == ["01-003", "01-004", "01-005"]
    found = sources.extent(asked, sources.introspect(asked), span)
    assert found is not None
    assert (found.rows, found.first, found.last) == (3, span.after, span.until)


def test_an_emptied_table_has_columns_and_no_rows(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", visits(1, 2))
    DeltaTable(tmp_path / "t").delete()
    assert rows_of(of(tmp_path / "t")) == []
    assert len(types_of(of(tmp_path / "t"))) == 5


def test_a_folder_that_is_no_delta_table_is_named(tmp_path: Path) -> None:
    assert "no Delta table is there" in failure_of(of(tmp_path))
    assert "cannot be read" in failure_of(of(tmp_path / "none"))


def rewritten(path: Path, change: dict[str, Any]) -> None:
    """Change a table's protocol or metadata in its first log entry."""
    log = path / "_delta_log" / "00000000000000000000.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        for action, values in change.items():
            if action in line:
                line[action] |= values
    log.write_text("\n".join(json.dumps(line) for line in lines))
    for checksum in (path / "_delta_log").glob("*.crc"):
        checksum.unlink()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"metaData": {"configuration": {"delta.columnMapping.mode": "name"}}}, "maps its columns"),
        (
            {
                "protocol": {
                    "minReaderVersion": 3, "minWriterVersion": 7,
                    "readerFeatures": ["timeMachine"], "writerFeatures": ["timeMachine"],
                }
            },
            "timeMachine",
        ),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_from_its_files_alone_is_refused(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    write_deltalake(tmp_path / "t", visits(1, 2))
    rewritten(tmp_path / "t", change)
    assert says in failure_of(of(tmp_path / "t"))


@pytest.mark.parametrize("damaged", [False, True])
def test_deletion_vectors_are_refused_and_how_to_purge_them_is_told(tmp_path: Path, damaged: bool) -> None:
    write_deltalake(tmp_path / "t", visits(1, 2))
    features = {
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"],
    }  # fmt: skip
    rewritten(tmp_path / "t", {"protocol": features})
    assert len(rows_of(of(tmp_path / "t"))) == 2
    log = tmp_path / "t" / "_delta_log" / "00000000000000000000.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    vector = first_row_deleted() | ({"sizeInBytes": 4} if damaged else {})
    for line in lines:
        if "add" in line:
            line["add"]["deletionVector"] = vector
    log.write_text("\n".join(json.dumps(line) for line in lines))
    if not damaged:
        found = [batch.num_rows for batch in DeltaTable(tmp_path / "t").deletion_vectors()]
        assert found == [1]
    assert "REORG TABLE … APPLY (PURGE)" in failure_of(of(tmp_path / "t"))


def first_row_deleted() -> dict[str, Any]:
    """An inline deletion vector of row 0, as Delta's protocol lays it out: a roaring bitmap in Z85."""
    bitmap = struct.pack("<IIHHIH", 12346, 1, 0, 0, 16, 0)
    content = struct.pack("<iqi", 1681511377, 1, 0) + bitmap
    usual = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    padded = content + b"\0" * (-len(content) % 4)
    text = base64.b85encode(padded).decode().translate(str.maketrans(usual, z85))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(content), "cardinality": 1}


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "deltalake", None)
    assert "pip install 'pilotage[delta]'" in failure_of(of(tmp_path))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty bucket on a server on loopback."""
    import fsspec
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fsspec.filesystem("s3", endpoint_url=f"http://{host}:{port}").mkdir("lake")
    yield "s3://lake"
    moto.stop()


def test_a_table_in_a_bucket_is_read_and_its_versions_referenced(bucket: str) -> None:
    options = {"AWS_ALLOW_HTTP": "true", "AWS_S3_ALLOW_UNSAFE_RENAME": "true"}
    write_deltalake(f"{bucket}/t", visits(1, 4), partition_by=["store"], storage_options=options)
    asked = of(f"{bucket}/t")
    first = sources.reference(asked)
    write_deltalake(f"{bucket}/t", visits(2, 6), mode="append", storage_options=options)
    assert first is not None
    assert first.files[0].startswith("s3://lake/t/store=")
    assert {row["store"] for row in rows_of(asked, Span())} == {"n o", "s/x"}
    assert (counted(asked, first), len(rows_of(asked))) == (4, 10)
    assert "cannot be read" in failure_of(of(f"{bucket}/none"))
