"""Dates that are none: named with their column and rows, and rows without a clock counted, not lost in silence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pilotage.cli.main import run
from tests.decisions.test_batch import FILE

Captured = pytest.CaptureFixture[str]


def written(folder: Path, dates: dict[int, str], options: str = "") -> str:
    """Orders on German days, but for these rows; the file that reads them."""
    days = {n: dates.get(n, f"{n % 28 + 1:02}.{n % 12 + 1:02}.2024") for n in range(1, 101)}
    rows = [f"{n},a,{n},{day},{n % 2}" for n, day in days.items()]
    (folder / "orders.csv").write_text("order_no,shop,amount,placed_on,returned\n" + "\n".join(rows) + "\n")
    text = FILE.replace("FOLDER", str(folder)).replace("key: [order_no],", f"key: [order_no],{options}")
    (folder / "refund.yaml").write_text(text)
    return str(folder / "refund.yaml")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))


def test_texts_among_dates_are_named_with_column_row_count_and_remedy(tmp_path: Path, capsys: Captured) -> None:
    file = written(tmp_path, {7: "n/a", 9: "n/a", 30: "later"})
    assert run(["sync", file]) == 2
    said = capsys.readouterr().err
    assert "3 values of placed_on are no dates written DD.MM.YYYY: first 'n/a' in row 7, 'later' in row 30" in said
    assert 'missing: ["n/a", "later"]' in said


def test_rows_without_a_clock_are_counted(tmp_path: Path, capsys: Captured) -> None:
    file = written(tmp_path, {7: "n/a", 9: "n/a"}, ' missing: ["n/a"],')
    assert run(["sync", file]) == 0, capsys.readouterr().err
    assert "orders: 2 rows left out for want of a date in placed_on." in capsys.readouterr().out


def test_a_draft_says_which_texts_look_like_dates_and_what_to_do(tmp_path: Path, capsys: Captured) -> None:
    with sqlite3.connect(tmp_path / "stops.db") as connection:
        connection.execute("CREATE TABLE stops (stop_no TEXT, stopped_at TEXT, searched TEXT)")
        rows = [(f"s{n}", f"{n % 28 + 1:02}.01.2017 um 06:{n % 60:02}", "yes" if n % 5 else "no") for n in range(300)]
        connection.executemany("INSERT INTO stops VALUES (?, ?, ?)", rows)
    assert run(["init", "--from", str(tmp_path / "stops.db"), "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "stops is taken as static, because stopped_at ('" in said
    assert "through a view that casts them" in said
