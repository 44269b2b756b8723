"""The SQL that people are given: it says what the file means, and runs where it is said to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pysqlite3
import pytest

from pilotage.cli.main import run
from tests.data.conftest import DAY
from tests.data.shop import TEXT

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def synced(tmp_path: Path, shop_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "shop.yaml"
    file.write_text(TEXT)
    assert run(["sync", str(file)]) == 0
    capsys.readouterr()
    return shop_path


def test_the_live_sql_runs_on_the_source_and_gives_the_newest_row_by_its_moment(synced: Path, capsys: Captured) -> None:
    assert run(["sql", "returns", "--where", "live", "--dialect", "sqlite"]) == 0
    statement = capsys.readouterr().out
    assert statement.startswith("-- The columns of one row: parameters are :moment")
    connection = pysqlite3.connect(str(synced))
    connection.row_factory = pysqlite3.Row
    moment = f"{DAY + timedelta(minutes=30 * 20 + 1):%Y-%m-%d %H:%M:%S.%f}"
    row = connection.execute(statement, {"moment": moment, "store": "north"}).fetchone()
    assert (row["last_score"], row["last_grade"]) == (20 % 9, "abc"[20 % 3])
    assert row["count_by_store_2h"] == 2.0


def test_the_sql_of_all_keys_has_a_row_of_each_store(synced: Path, capsys: Captured) -> None:
    assert run(["sql", "returns", "--where", "now", "--dialect", "sqlite"]) == 0
    statement = capsys.readouterr().out
    connection = pysqlite3.connect(str(synced))
    rows = connection.execute(statement, {"moment": f"{DAY:%Y-%m-%d %H:%M:%S.%f}"}).fetchall()
    assert {row[0] for row in rows} == {"north", "south"}


def test_without_options_the_script_of_the_training_set_is_printed(synced: Path, capsys: Captured) -> None:
    assert run(["sql", "returns"]) == 0
    assert "CREATE TABLE training_set" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["history", "live", "now"])
def test_spark_has_no_words_that_only_duckdb_knows(synced: Path, capsys: Captured, where: str) -> None:
    assert run(["sql", "returns", "--where", where, "--dialect", "spark"]) == 0
    said = capsys.readouterr().out
    assert "ROW_NUMBER() OVER" in said
    for word in ("VARCHAR", "epoch_us", "to_seconds", "list_transform", '"'):
        assert word.lower() not in said.lower(), word


def test_a_dialect_that_cannot_do_an_operation_says_which(synced: Path, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(TEXT.replace("take: score, within: 3 hours", "take: score, where: \"UPPER(grade) = 'A'\""))
    assert run(["sync", str(file)]) == 0
    assert run(["sql", "returns", "--where", "live", "--dialect", "sqlite"]) == 2
    assert "SQLite cannot do UPPER" in capsys.readouterr().err
