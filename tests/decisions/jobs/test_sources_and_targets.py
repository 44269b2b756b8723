"""Jobs that read a source of the use case's file and write to a table that it declares; and nothing else."""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests import mariadb
from tests.decisions.jobs.arranging import PATH, arranged, ask, key_of, work_on
from tests.postgres import NoPostgres, scratch_cluster

from pilotage.decisions.jobs import flow, running, targets
from pilotage.platform.errors import InvalidFile
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition


@pytest.fixture
def definition(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Definition:
    return arranged(work, tmp_path, monkeypatch)


def submitted(work: Workspace, key: str, **asked: Any) -> str:
    answer = ask(work, key, "POST", PATH, json=asked)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def written(folder: Path, table: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "results.db")) as database:
        return database.execute(f"SELECT entity, positive, job, decision FROM {table} ORDER BY entity").fetchall()


def test_a_source_is_asked_row_by_row(work: Workspace, definition: Definition) -> None:
    key = key_of(work)
    job = submitted(work, key, source="things")
    work_on(work)
    state = ask(work, key, "GET", f"{PATH}/{job}").json()
    assert (state["state"], state["rows_done"], state["rows_refused"], state["source"]) == ("done", 30, 0, "things")
    rows = list(csv.DictReader(io.StringIO(ask(work, key, "GET", f"{PATH}/{job}/result?format=csv").text)))
    assert {row["entity"]: row["positive"] for row in rows} == {
        f"t{number:03}": str(number % 10 > 5) for number in range(30)
    }


def test_only_the_rows_that_became_known_in_the_span_are_asked(work: Workspace, definition: Definition) -> None:
    key = key_of(work)
    job = submitted(work, key, source="things", known_since="2013-12-02T10:00:00Z", known_until="2013-12-03T00:00:00Z")
    none = submitted(work, key, source="things", known_since="2014-01-01T00:00:00Z")
    work_on(work)
    assert [flow.find(work, "small", each).rows_done for each in (job, none)] == [3, 0]
    assert flow.find(work, "small", none).state == "done"


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"source": "elsewhere"}, 404, "has no source elsewhere"),
        ({"source": "/etc/passwd"}, 404, "has no source"),
        ({"source": "sqlite:///things.db"}, 404, "has no source"),
        ({"source": "things", "target": "things"}, 404, "has no target things"),
        ({"source": "things", "path": "/etc/passwd"}, 422, "path"),
        ({"source": "things", "known_since": "yesterday"}, 422, "known_since"),
        ({"source": "things", "known_since": "0001-01-01T00:00:00+10:00"}, 422, "known_since"),
        ({"source": "things", "known_until": "9999-12-31T23:59:59-05:00"}, 422, "between the years 1 and 9999"),
        ({"source": 7}, 422, "source"),
    ],
)
def test_what_the_file_does_not_name_is_neither_read_nor_written(
    work: Workspace, definition: Definition, asked: dict[str, Any], status: int, said: str
) -> None:
    answer = ask(work, key_of(work), "POST", PATH, json=asked)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert flow.listed(work, "small") == []


def test_an_upload_names_no_target_that_is_not_declared_and_leaves_nothing(
    work: Workspace, definition: Definition
) -> None:
    headers = {"Content-Type": "text/csv"}
    answer = ask(work, key_of(work), "POST", f"{PATH}?target=nowhere", content=b"thing\n", headers=headers)
    assert answer.status_code == 404
    assert list((work.home / "jobs").iterdir()) == []


def test_a_source_is_never_written_even_where_the_file_calls_it_otherwise(
    work: Workspace, definition: Definition, tmp_path: Path
) -> None:
    job = submitted(work, key_of(work), source="things", target="forbidden")
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done) == ("failed", 30)
    assert "sources are only read" in found.error
    with contextlib.closing(sqlite3.connect(tmp_path / "things.db")) as database:
        assert database.execute("SELECT count(*) FROM things").fetchone() == (30,)


def test_replace_holds_the_newest_run_and_upsert_every_run(
    work: Workspace, definition: Definition, tmp_path: Path
) -> None:
    key = key_of(work)
    runs = [submitted(work, key, source="things", target=name) for name in ("newest", "every", "newest", "every")]
    work_on(work)
    assert [flow.find(work, "small", job).rows_written for job in runs] == [30] * 4
    newest, every = written(tmp_path, "newest_run"), written(tmp_path, "every_run")
    assert {row[2] for row in newest} == {runs[2]}
    assert [row[:2] for row in newest] == [(f"t{number:03}", int(number % 10 > 5)) for number in range(30)]
    assert len(every) == 60 and {row[2] for row in every} == {runs[1], runs[3]}


@pytest.mark.parametrize("name", ["newest", "every"])
@pytest.mark.parametrize("step", ["_fill", "_swap", "finish"])
def test_a_writer_that_dies_writes_the_same_when_it_is_resumed(
    work: Workspace, definition: Definition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: str
) -> None:
    job = submitted(work, key_of(work), source="things", target=name)
    place: Any = running.jobs if step == "finish" else targets
    real = getattr(place, step)

    def dying(*given: Any) -> Any:
        if step == "_fill":
            real(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(place, step, dying)
        with contextlib.suppress(KeyboardInterrupt):
            work_on(work)
    held = flow.find(work, "small", job)
    if held.state == "running":
        flow.let_go(work, held)
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done, found.rows_written) == ("done", 30, 30)
    table = "newest_run" if name == "newest" else "every_run"
    assert len(written(tmp_path, table)) == 30
    with contextlib.closing(sqlite3.connect(tmp_path / "results.db")) as database:
        assert database.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone() == (1,)


@pytest.mark.both_stores
def test_somebody_elses_table_is_left_alone_and_the_job_goes_on_once_it_is_away(
    work: Workspace, definition: Definition, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "results.db")) as database:
        database.execute("CREATE TABLE newest_run (salary REAL)")
        database.commit()
    key = key_of(work)
    job = submitted(work, key, source="things", target="newest")
    work_on(work)
    assert "is not one of results" in flow.find(work, "small", job).error
    with contextlib.closing(sqlite3.connect(tmp_path / "results.db")) as database:
        database.execute("ALTER TABLE newest_run RENAME TO salaries")
        database.commit()
    assert ask(work, key, "POST", f"{PATH}/{job}/resume").json()["state"] == "waiting"
    work_on(work)
    assert flow.find(work, "small", job).rows_written == 30
    assert ask(work, key, "POST", f"{PATH}/{job}/resume").status_code == 409


def _on_postgresql() -> Any:
    return scratch_cluster()


@contextlib.contextmanager
def _on_mariadb() -> Any:
    with mariadb.scratch_mariadb() as port:
        from urllib.parse import quote

        address = f"mysql://root:{quote(mariadb.ROOT_PASSWORD, safe='')}@127.0.0.1:{port}"
        engine = sa.create_engine(address.replace("mysql://", "mysql+pymysql://"))
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE DATABASE results")
        engine.dispose()
        yield f"{address}/results"


@pytest.mark.parametrize("server", [_on_postgresql, _on_mariadb])
@pytest.mark.postgres
def test_results_are_written_to_servers(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch, server: Any
) -> None:
    with contextlib.ExitStack() as stack:
        try:
            address = str(stack.enter_context(server()))
        except NoPostgres as reason:
            pytest.skip(str(reason))
        monkeypatch.setenv("RESULTS", address)
        key = key_of(work)
        driver = address.replace("mysql://", "mysql+pymysql://").replace("postgresql://", "postgresql+psycopg://")
        engine = sa.create_engine(driver, poolclass=sa.pool.NullPool)
        runs = [submitted(work, key, source="things", target="newest")]
        work_on(work)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE VIEW reading AS SELECT job FROM newest_run")
            connection.exec_driver_sql("CREATE INDEX mine ON newest_run (row_in_job)")
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("GRANT SELECT ON newest_run TO PUBLIC")
        runs += [submitted(work, key, source="things", target=name) for name in ("newest", "every", "every")]
        work_on(work)
        assert [flow.find(work, "small", job).error for job in runs] == [""] * 4
        assert "mine" in {each["name"] for each in sa.inspect(engine).get_indexes("newest_run")}
        assert sorted(sa.inspect(engine).get_table_names()) == ["every_run", "newest_run"]
        with engine.connect() as connection:
            seen = connection.exec_driver_sql("SELECT min(job), max(job) FROM reading").one()
            assert tuple(seen) == (runs[1], runs[1])
            if engine.dialect.name == "postgresql":
                granted = "SELECT relacl::text FROM pg_class WHERE relname = 'newest_run'"
                assert "=r/" in connection.exec_driver_sql(granted).scalar_one()
            newest = connection.exec_driver_sql("SELECT count(*), min(job), max(job) FROM newest_run").one()
            every = connection.exec_driver_sql("SELECT count(*) FROM every_run").scalar_one()
            yes = connection.exec_driver_sql("SELECT count(*) FROM newest_run WHERE positive").scalar_one()
        engine.dispose()
        assert tuple(newest) == (30, runs[1], runs[1])
        assert (every, yes) == (60, 12)


def test_a_database_that_is_down_fails_the_job_without_its_password(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESULTS", "postgresql://writer:canary-secret@127.0.0.1:9/results")
    job = submitted(work, key_of(work), source="things", target="every")
    work_on(work)
    found = flow.find(work, "small", job)
    assert (found.state, found.rows_done) == ("failed", 30)
    assert "could not be written" in found.error and "canary" not in found.error


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{database: 'sqlite:///x.db', table: a, write: upsert}", "must not stand in the file"),
        ("{database: env:THINGS, table: things, write: upsert}", "sources are only read"),
        ("{database: env:RESULTS, table: 'a; DROP', write: upsert}", "cannot be the table"),
        ("{database: env:RESULTS, table: a}", "write"),
        ("{database: env:RESULTS, table: a, write: append}", "write"),
    ],
)
def test_a_target_that_cannot_be_meant_is_a_mistake_of_the_file(definition: Definition, line: str, said: str) -> None:
    text = definition.text.split("batch:")[0] + f"batch:\n  targets:\n    wrong: {line}\n"
    with pytest.raises(InvalidFile) as refused:
        parse_definition(text, "small.yaml")
    assert said in str(refused.value.problems)


def test_where_results_go_changes_no_evidence(definition: Definition) -> None:
    without = parse_definition(definition.text.split("batch:")[0], "small.yaml")
    assert without.substance == definition.substance
