"""Files on object storage: an S3-compatible server on loopback, and fsspec's memory."""

from __future__ import annotations

import gzip
import io
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilotage.data import sources
from pilotage.data.records import Span
from pilotage.data.sources.files import describe, describing, locating
from pilotage.platform.errors import SourceUnavailable, SourceUnreachable
from tests.data.sources.asking import asked_for, column_of, failure_of, rows_of

SECRET = "hunter2canarysecret"


def parquet(ids: list[str]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ids}), sink)
    return sink.getvalue()


def sheet() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id"])
    book.worksheets[0].append(["007"])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server with a bucket of files of all kinds."""
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    storage = fsspec.filesystem("s3", key="reader", secret=SECRET, endpoint_url=endpoint)
    storage.mkdir("shop")
    storage.pipe(
        {
            "shop/p/a.parquet": parquet(["001"]),
            "shop/p/b.parquet": parquet(["002", "003"]),
            "shop/p/_SUCCESS": b"",
            "shop/day=2013-01-01/a.parquet": parquet(["1"]),
            "shop/c/a.csv": "id;name\n001;Zürich\n".encode("cp1252"),
            "shop/c/b.csv.gz": gzip.compress(b"id,name\n002,b\n"),
            "shop/j/a.jsonl": b'{"id":"001"}\n{"id":"002"}\n',
            "shop/x/a.xlsx": sheet(),
            "shop/bad/a.parquet": b"no parquet",
        }
    )
    yield endpoint
    moto.stop()


@pytest.fixture
def reachable(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment that reaches the server, and the directory of temporary files."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": server,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "LAKE": "s3://shop",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("env:LAKE/p/*.parquet", ["001", "002", "003"]),
        ("env:LAKE/p/*", ["001", "002", "003"]),
        ("env:LAKE/p/a.parquet", ["001"]),
        ("s3://shop/c/*", ["001", "002"]),
        ("s3://shop/j/a.jsonl", ["001", "002"]),
        ("s3://shop/x/*.xlsx", ["007"]),
    ],
)
def test_every_kind_of_file_is_read_from_a_bucket_and_no_copy_stays(
    reachable: Path, pattern: str, ids: list[str]
) -> None:
    assert sorted(column_of(asked_for(pattern), "id")) == ids
    assert list(reachable.iterdir()) == []


def test_folders_that_name_a_partition_are_columns_in_a_bucket_too(reachable: Path) -> None:
    assert str(rows_of(asked_for("s3://shop/day=*/*.parquet"))[0]["day"]) == "2013-01-01 00:00:00"


def test_the_encoding_and_dialect_of_each_file_in_a_bucket_are_found(reachable: Path) -> None:
    assert sorted(column_of(asked_for("s3://shop/c/*"), "name")) == ["Zürich", "b"]


def test_the_extent_is_told_only_where_a_look_is_cheap(reachable: Path) -> None:
    near, far = asked_for("s3://shop/p/*"), asked_for("s3://shop/j/*")
    found = sources.extent(near, sources.introspect(near), Span())
    assert found is not None
    assert found.rows == 3
    assert sources.extent(far, sources.introspect(far), Span()) is None


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("s3://nowhere/x/*.csv", "bucket does not exist"),
        ("s3://shop/none/*.csv", "no file matches s3://shop/none/*.csv"),
        ("s3://shop/none.csv", "s3://shop/none.csv"),
        ("s3://shop/bad/a.parquet", "shop/bad/a.parquet"),
        ("ftp://shop/x.csv", "ftp:// cannot be read"),
        ("simplecache::s3://shop/x.csv", "cannot be read"),
    ],
)
def test_what_is_not_in_the_bucket_is_named(reachable: Path, pattern: str, says: str) -> None:
    assert says in failure_of(asked_for(pattern))


def test_missing_credentials_and_a_server_that_is_down_are_told_without_secrets(
    reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    said = failure_of(asked_for("s3://shop/p/*.parquet"))
    assert "cannot be read at s3://shop/p/*.parquet" in said
    assert SECRET not in said
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Unable to locate credentials" in failure_of(asked_for("s3://shop/p/*.parquet"))


def test_without_the_library_the_extra_is_named(reachable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("s3fs")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    assert "pip install 'pilotage[s3]'" in failure_of(asked_for("s3://shop/p/*.parquet"))


def test_files_in_memory_are_read() -> None:
    storage = fsspec.filesystem("memory")
    storage.pipe({"/lake/a.csv": b"id\n007\n", "/lake/b.csv": b"id\n008\n", "/lake/p.parquet": parquet(["009"])})
    assert sorted(column_of(asked_for("memory://lake/*.csv"), "id")) == ["007", "008"]
    assert column_of(asked_for("memory://lake/p.parquet"), "id") == ["009"]


def test_one_object_is_written_as_its_exact_address_also_with_signs_of_a_pattern(reachable: Path) -> None:
    assert [one.address for one in describe("s3://shop/c/a.csv")] == ["s3://shop/c/a.csv"]
    storage = fsspec.filesystem("memory")
    storage.pipe({"/odd/a[1].csv": b"id\n007\n", "/odd/a1.csv": b"id\n008\n"})
    assert [one.address for one in describe("memory://odd/a[1].csv")] == ["memory:///odd/a[1].csv"]
    assert column_of(asked_for("memory://odd/a[1].csv"), "id") == ["007"]


@pytest.mark.parametrize("address", ["s3://shop/in/", "s3://shop/in/a.csv", "s3://shop/in/*.csv", "http"])
def test_a_server_that_accepts_and_is_silent_is_left_in_time(
    reachable: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(describing, "_SECONDS", 0.2)
    monkeypatch.setattr(locating, "seconds", lambda _: 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", server)
        address = f"{server}/a.csv" if address == "http" else address
        with pytest.raises(SourceUnreachable, match=f"{re.escape(address)} within 1 seconds"):
            for one in describe(address):
                rows_of(asked_for(one.address))


def test_a_bucket_is_described_as_sources(reachable: Path) -> None:
    found = {one.name: one.address for one in describe("s3://shop")}
    assert found["j_a" if "j_a" in found else "a"].startswith("s3://shop/")
    assert any(address == "s3://shop/j/a.jsonl" for address in found.values())
    with pytest.raises(SourceUnavailable, match="bucket does not exist"):
        describe("s3://nowhere/x")
