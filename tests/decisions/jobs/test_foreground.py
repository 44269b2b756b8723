"""``pilotage batch``: the same job, worked on by the command; interrupted, resumed, written where it should go."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.decisions.jobs.arranging import arranged

from pilotage.cli.main import run
from pilotage.decisions.jobs import commands, flow, running
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An installation that commands find, with questions in ``asked.csv``."""
    work = open_workspace(Settings(home=tmp_path / "home"))
    arranged(work, tmp_path, monkeypatch)
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    rows = "".join(f"a{number},{number % 10},2013-12-05T19:00:00Z\n" for number in range(45))
    (tmp_path / "asked.csv").write_text("thing,size,at\n" + rows)
    return work


def only_job(work: Workspace) -> Any:
    (job,) = flow.listed(work, "small")
    return job


def test_a_file_becomes_a_parquet_file(home: Workspace, tmp_path: Path, capsys: Captured) -> None:
    assert run(["batch", "--file", "asked.csv", "--to", "answers.parquet"]) == 0, capsys.readouterr().err
    table = pq.read_table(tmp_path / "answers.parquet")
    assert table.column("entity").to_pylist() == [f"a{number}" for number in range(45)]
    assert only_job(home).state == "done"
    assert "45 answered and recorded, 0 refused" in capsys.readouterr().out


def test_how_far_it_is_of_how_many_rows_is_said(
    home: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(commands, "_SAID_ROWS", 20)
    assert run(["batch", "--file", "asked.csv", "--to", "answers.csv"]) == 0
    assert "20 of 45 rows (44%) …" in capsys.readouterr().out


def test_lines_go_to_standard_output_and_nothing_else_does(home: Workspace, capsys: Captured) -> None:
    assert run(["batch", "--file", "asked.csv"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["row"] for line in lines] == list(range(1, 46))
    assert {line["status"] for line in lines} == {200}


def test_a_row_that_does_not_fit_is_refused_alone(home: Workspace, capsys: Captured) -> None:
    at = "2013-12-05T19:00:00Z"
    Path("odd.csv").write_text(f"thing,size,at\na,7,{at}\nb,n/a,{at}\nc,7,03/04/2013 10:00:00\nd,7\ne,7,{at}\n")
    assert run(["batch", "--file", "odd.csv"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == [200, 422, 422, 422, 200]
    assert [line["problem"].partition(":")[0] for line in lines[1:4]] == ["size", "at", "row"]


def test_a_source_goes_into_a_declared_table(home: Workspace, tmp_path: Path) -> None:
    assert run(["batch", "--source", "things", "--to", "newest"]) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "results.db")) as database:
        assert database.execute("SELECT count(*) FROM newest_run").fetchone() == (30,)


def test_interrupted_it_goes_on_where_it_was(
    home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    real, calls = running.files.write_part, iter(range(100))

    def interrupted(*given: Any) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(running.files, "write_part", interrupted)
        assert run(["batch", "--file", "asked.csv", "--to", "answers.csv"]) == 130
    job = only_job(home)
    assert (job.state, job.rows_done) == ("waiting", 20)
    assert flow.rows_total(home, job) == 45
    assert f"--resume {job.id}" in capsys.readouterr().out
    assert run(["batch", "--resume", job.id, "--to", "answers.csv"]) == 0, capsys.readouterr().err
    assert (tmp_path / "answers.csv").read_text().count("\n") == 46
    assert only_job(home).rows_done == 45
    assert run(["batch", "--resume", job.id, "--to", "again.jsonl"]) == 0  # one that is done is only fetched
    assert only_job(home).lease == 2


def test_a_job_that_is_worked_on_elsewhere_is_not_taken(home: Workspace, capsys: Captured) -> None:
    from pilotage.decisions.jobs.records import Asked
    from pilotage.govern.records import SYSTEM
    from pilotage.usecase import flow as defining

    definition = defining.find_adopted(home, "small")
    job = flow.begin(home, definition, SYSTEM, Asked("csv"), Path("asked.csv"))
    assert run(["batch", "--resume", job.id]) == 2
    assert "cannot be taken up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "Give one of --file, --source, --resume."),
        (["--file", "asked.csv", "--source", "things"], "Give one of --file, --source, --resume."),
        (["--file", "nowhere.csv"], "does not exist"),
        (["--file", "asked.txt"], "Give a file that ends in"),
        (["--file", "asked.csv", "--to", "elsewhere"], "or one of its targets: newest, every, forbidden"),
        (["--source", "elsewhere"], "has no source elsewhere"),
        (["--resume", "job_none"], "There is no job job_none"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_asked(
    home: Workspace, capsys: Captured, given: list[str], said: str
) -> None:
    assert run(["batch", *given]) == 2
    assert said in capsys.readouterr().err
    assert flow.listed(home, "small") == []
