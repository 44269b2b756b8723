"""The benchmark of point-in-time columns compares answers before it compares times."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import pit


@pytest.fixture(autouse=True)
def its_own_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pit, "CACHE", tmp_path)


def answer(name: str, values: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM (VALUES {values}) v(flight_id, delay)) TO '{pit.answers(name)}' (FORMAT parquet)"
        )


@pytest.mark.parametrize("other", ["(1, 5.0), (2, 1.0)", "(1, 5.0), (2, 0.0)", "(2, NULL)"])
def test_another_answer_than_ours_ends_the_benchmark(other: str) -> None:
    answer("ours", "(1, 5.0), (2, NULL)")
    answer("theirs", other)
    with pytest.raises(SystemExit, match="1 of 2 decisions have other values"):
        pit.agree("ours", "theirs", ("delay",), tolerance=0.0)


def test_what_a_peer_leaves_out_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    answer("ours", "(1, 5.0), (2, NULL)")
    answer("theirs", "(1, 5.0)")
    pit.agree("ours", "theirs", ("delay",), tolerance=0.0)
    assert "2 decisions, delay as ours" in capsys.readouterr().out


def test_it_runs_with_the_others() -> None:
    assert "pit" in benchmarks.NAMES
