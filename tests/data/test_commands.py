"""Checking and adopting a file, as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.cli.main import run
from pilotage.platform.counting import plural
from tests.data.conftest import DAY
from tests.data.shop import TEXT, fill
from tests.data.stored import changed

Captured = pytest.CaptureFixture[str]
WRONG = TEXT.replace("take: score, within", "take: scor, within").replace("returned > 0", "returnd > 0")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop's file, beside an installation of its own."""
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    path = tmp_path / "shop.yaml"
    path.write_text(TEXT)
    return path


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_file_that_fits_its_sources_is_said_to_be_consistent(file: Path, shop_path: Path, capsys: Captured) -> None:
    assert run(["check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "Returned orders is consistent" in said
    assert said.endswith(f"Next: pilotage sync {file}\n")


def test_check_names_every_column_that_is_not_there_with_line_and_nearest(
    file: Path, shop_path: Path, capsys: Captured
) -> None:
    file.write_text(WRONG)
    assert run(["check", str(file)]) == 2
    said = capsys.readouterr().out
    assert f"{file}:{line_of(WRONG, 'scor,')}:" in said
    assert "inputs.last_score.take: In source visits: There is no column scor. Did you mean score?" in said
    assert f"{file}:{line_of(WRONG, 'returnd')}:" in said
    assert f"{file} does not fit its sources: it has 2 mistakes." in said
    assert run(["check", str(file), "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 2


def test_check_names_a_table_that_is_not_there_at_its_line(file: Path, shop_path: Path, capsys: Captured) -> None:
    text = TEXT.replace("table: visits", "table: visit")
    file.write_text(text)
    assert run(["check", str(file)]) == 2
    said = capsys.readouterr().out
    assert f"{file}:{line_of(text, 'table: visit')}:" in said
    assert "Did you mean visits?" in said


def test_mistakes_of_the_file_itself_come_first(file: Path, capsys: Captured) -> None:
    file.write_text(WRONG.replace("title:", "titel:"))
    assert run(["check", str(file)]) == 2
    said = capsys.readouterr().out
    assert "titel" in said
    assert "scor." not in said


def test_a_source_that_cannot_be_reached_is_mentioned_and_is_no_mistake(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delenv("SHOP", raising=False)
    assert run(["check", str(file), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("not looked at: Source") == 3
    assert len(json.loads(captured.out)["not_looked_at"]) == 3
    monkeypatch.setenv("SHOP", "postgresql://reader:hunter2canary@127.0.0.1:1/shop")
    assert run(["check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "3 of them not looked at" in said
    assert "hunter2canary" not in said


def test_only_a_file_that_fits_its_sources_is_adopted(file: Path, shop_path: Path, capsys: Captured) -> None:
    assert run(["sync", str(file)]) == 0
    file.write_text(WRONG)
    assert run(["sync", str(file)]) == 2
    said = capsys.readouterr().err
    assert f"{file} does not fit its sources" in said
    assert "Did you mean score?" in said
    assert run(["build", "returns"]) == 0
    assert run(["sync", "returns"]) == 0


def test_a_new_file_is_not_adopted_while_a_source_cannot_be_looked_at(
    file: Path, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("VISITS", str(tmp_path / "none"))
    away = TEXT.replace("    database: env:SHOP\n    table: visits\n", "    files: env:VISITS/*.parquet\n")
    assert run(["sync", str(file)]) == 0
    file.write_text(away)
    assert run(["sync", str(file)]) == 2
    assert "no file matches" in capsys.readouterr().err
    assert run(["sync", "returns"]) == 0


def test_other_commands_use_a_file_only_as_it_was_adopted(file: Path, shop_path: Path, capsys: Captured) -> None:
    assert run(["build", str(file)]) == 2
    assert "never adopted" in capsys.readouterr().err
    assert run(["sync", str(file)]) == 0
    assert run(["build", str(file)]) == 0
    file.write_text(TEXT.replace("title: Returned orders", "title: Returns"))
    for command in (["build"], ["sql"], ["audit"]):
        assert run([*command, str(file)]) == 2
        said = capsys.readouterr().err
        assert "shop.yaml differs from what was adopted as returns" in said
        assert f"pilotage sync {file}" in said
    assert run(["sync", str(file)]) == 0
    assert run(["build", str(file)]) == 0


def test_sync_shows_new_late_corrected_and_deleted_rows_in_words_and_for_machines(
    file: Path, shop_path: Path, capsys: Captured
) -> None:
    file.write_text(TEXT.replace("    table: visits\n", "    table: visits\n    deletions: compared\n"))
    assert run(["sync", str(file)]) == 0
    newest = DAY + timedelta(minutes=30 * 149)
    fill(shop_path, "visits", [("w", "north", 1.0, "a", newest, newest), ("v3", "north", 1.0, "a", newest, newest)])
    changed(shop_path, "DELETE FROM visits WHERE visit_id = 'v5'")
    capsys.readouterr()
    assert run(["sync", str(file), "--json"]) == 0
    visits = next(one for one in json.loads(capsys.readouterr().out) if one["source"] == "visits")
    counts = (visits["rows_new"], visits["late"], visits["corrected"], visits["deleted"], visits["rows"])
    assert counts == (2, 2, 1, 1, 153)
    assert run(["sync", str(file)]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("new rows", "late", "corrected", "deleted", "153"))


@pytest.mark.parametrize(("number", "said"), [(0, "0 new rows"), (1, "1 new row"), (1_000, "1,000 new rows")])
def test_one_of_a_kind_is_said_as_one(number: int, said: str) -> None:
    assert plural(number, "new row") == said


def test_a_sync_that_fails_says_so_in_words_and_writes_no_events(file: Path, shop_path: Path) -> None:
    command = [sys.executable, "-m", "pilotage", "sync", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    shop_path.rename(shop_path.with_name("away.db"))
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith("Error: ")
    assert '"event"' not in failed.stderr + failed.stdout
    assert "no SQLite file" in failed.stderr
