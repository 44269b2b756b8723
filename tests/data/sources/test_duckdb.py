"""DuckDB files of strangers: any type, any clock, and nothing read but the file."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pilotage.data import sources
from pilotage.data.records import Extent, Span
from pilotage.data.sources import time_limit
from pilotage.data.sources.databases import connecting
from pilotage.platform.errors import SourceUnreachable
from tests.data.sources.asking_databases import ask, extent, failure, read, rows, types, wanted

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a shop.duckdb"


def make(path: Path, *statements: str) -> str:
    """Run statements; the address."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in statements:
            connection.execute(statement)
    return f"duckdb:///{path}"


def test_every_type_is_read_as_a_number_text_instant_or_flag(path: Path) -> None:
    address = make(
        path,
        """CREATE TABLE t AS SELECT 1::TINYINT AS a, 2::UINTEGER AS b, 3::HUGEINT AS c, 2.5::DECIMAL(9, 2) AS d,
        7::DECIMAL(12, 0) AS e, 0.5::FLOAT AS f, true AS g, DATE '2024-01-01' AS h, TIMESTAMP '2024-01-01 12:00' AS i,
        TIMESTAMPTZ '2024-01-01 12:00+02' AS j, TIMESTAMP_NS '2024-01-01 12:00:00.123456789' AS k, 'x' AS l,
        '\\x00\\xFF'::BLOB AS m, [1, 2] AS n, {'p': 1} AS o, 'sad'::ENUM('sad', 'ok') AS p, TIME '09:30' AS q""",
    )
    assert types(ask(address, "t")) == {
        "a": "BIGINT", "b": "BIGINT", "c": "DOUBLE", "d": "DOUBLE", "e": "BIGINT", "f": "DOUBLE", "g": "BOOLEAN",
        "h": "TIMESTAMP", "i": "TIMESTAMP", "j": "TIMESTAMP", "k": "TIMESTAMP", "l": "VARCHAR", "m": "VARCHAR",
        "n": "VARCHAR", "o": "VARCHAR", "p": "VARCHAR", "q": "VARCHAR",
    }  # fmt: skip
    noon = NOON.replace(tzinfo=None)
    assert rows(ask(address, "t")) == [
        {
            "a": 1, "b": 2, "c": 3.0, "d": 2.5, "e": 7, "f": 0.5, "g": True, "h": noon.replace(hour=0), "i": noon,
            "j": noon.replace(hour=10), "k": noon.replace(microsecond=123457), "l": "x", "m": "\\x00ff", "n": "[1, 2]",
            "o": "{'p': 1}", "p": "sad", "q": "09:30:00",
        }
    ]  # fmt: skip


def test_numbers_too_large_to_be_kept_exactly_are_texts(path: Path) -> None:
    address = make(path, "CREATE TABLE t AS SELECT 9007199254740993::UBIGINT AS a, 5::UBIGINT AS b, 2^60 AS c")
    assert types(ask(address, "t")) == {"a": "VARCHAR", "b": "DOUBLE", "c": "DOUBLE"}
    assert rows(ask(address, "t"))[0]["a"] == "9007199254740993"


@pytest.mark.parametrize("clock", ["TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIMESTAMP_S"])
def test_a_span_has_its_rows_and_extent_whatever_the_clock_is_kept_as(path: Path, clock: str) -> None:
    values = ", ".join(f"({n}, ('2024-01-{n:02d} 00:00:00')::{clock})" for n in range(1, 10))
    address = make(
        path,
        f'CREATE TABLE t (n INTEGER, "at" {clock})',
        f"INSERT INTO t VALUES {values}, (0, NULL), (10, 'infinity')",
    )
    asked = ask(address, "t", known_at="at")
    span = Span(after=datetime(2024, 1, 3, tzinfo=UTC), until=datetime(2024, 1, 5, tzinfo=UTC))
    assert sorted(row["n"] for row in rows(asked, span)) == [3, 4, 5]
    assert extent(asked, span) == Extent(3, span.after, span.until)
    assert sorted(row["n"] for row in rows(asked)) == list(range(11))
    assert next(row["at"] for row in rows(asked) if row["n"] == 10) is None


def test_views_schemas_and_odd_names_are_found_and_near_ones_proposed(path: Path) -> None:
    address = make(
        path,
        'CREATE SCHEMA "my shop"; CREATE TABLE "my shop"."a.b" ("select" INTEGER, "ä ""q""" VARCHAR)',
        'INSERT INTO "my shop"."a.b" VALUES (1, \'x\')',
        'CREATE VIEW seen AS SELECT * FROM "my shop"."a.b"',
    )
    assert rows(ask(address, '"my shop"."a.b"')) == [{"select": 1, 'ä "q"': "x"}]
    assert rows(ask(address, "seen"), names=["select"]) == [{"select": 1}]
    assert "Did you mean seen?" in failure(ask(address, "sean"))


def test_a_large_table_comes_in_batches_and_no_more_than_may_be_read(path: Path) -> None:
    address = make(path, "CREATE TABLE t AS SELECT n, n / 7 AS x FROM range(120_000) r(n)")
    asked = ask(address, "t")
    sizes = [batch.num_rows for batch in sources.read(asked, wanted(asked), Span())]
    assert sum(sizes) == 120_000
    assert max(sizes) <= 50_000
    table = read(asked)
    assert table is not None and table["n"].to_pylist()[-1] == 119_999
    assert "more than 100 rows" in failure(ask(address, "t", rows_max=100))


def test_a_query_that_takes_longer_than_its_time_is_interrupted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = make(
        path, "CREATE VIEW v AS SELECT sum(a.n * b.n % 7)::DOUBLE AS x FROM range(3_000_000) a(n), range(90_000) b(n)"
    )
    monkeypatch.setattr(time_limit, "allowed", lambda text: 1)
    asked, started = ask(address, "v", timeout="1 minute"), time.monotonic()
    with pytest.raises(SourceUnreachable, match="took longer to read than its timeout of 1 minute"):
        rows(asked)
    assert time.monotonic() - started < 30


def test_the_file_is_not_written_and_other_files_are_not_read(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    address = make(
        path, "CREATE TABLE t (a INTEGER)", f"CREATE VIEW elsewhere AS SELECT * FROM read_csv('{tmp_path}/secret.csv')"
    )
    before = path.read_bytes()
    assert rows(ask(address, "t")) == []
    assert "nothing is read but the file itself" in failure(ask(address, "elsewhere"))
    assert path.read_bytes() == before
    assert not path.with_name(path.name + ".wal").exists()


def test_a_file_that_another_program_writes_is_said_to_be_so_and_may_be_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = make(path, "CREATE TABLE t (a INTEGER)")
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.2)
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "open\n"
        with pytest.raises(SourceUnreachable, match="One program may write a DuckDB file, or several read it"):
            rows(ask(address, "t"))
        writer.communicate("")
    assert rows(ask(address, "t")) == []


def _reads(address: str) -> int:
    return len(rows(ask(address, "t")))


def test_several_programs_read_a_file_at_once(path: Path) -> None:
    address = make(path, "CREATE TABLE t AS SELECT 1 AS a")
    asked = ask(address, "t")
    batches = sources.read(asked, wanted(asked), Span())
    assert next(batches).num_rows == 1
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_reads, (address,)) == 1
    assert list(batches) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no DuckDB file at"), (b"", "not a valid DuckDB"), (b"SQLite format 3\0" * 400, "DuckDB file")],
)
def test_what_is_no_database_is_named(path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        path.write_bytes(content)
    assert said in failure(ask(f"duckdb:///{path}", "t"))


def test_a_column_that_is_gone_is_named(path: Path) -> None:
    address = make(path, 'CREATE TABLE t (a INTEGER, "at" TIMESTAMP)')
    asked = ask(address, "t", known_at="at")
    columns = wanted(asked)
    make(path, "ALTER TABLE t DROP COLUMN a")
    with pytest.raises(Exception, match="column a is no longer there"):
        list(sources.read(asked, columns, Span(after=NOON - timedelta(days=1))))
