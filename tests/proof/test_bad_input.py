"""Bad input, from the command line: one clear message, bounded memory, nothing partial, nothing left behind.

A disk that fills is in ``tests/data/test_full_disk.py``.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pysqlite3
import pytest

from pilotage.cli.main import run

Captured = pytest.CaptureFixture[str]
ROWS = "".join(
    f"c{n},{n % 5}.5,{'ab'[n % 2]},{n % 3 == 0},2026-01-{1 + n // 24:02} {n % 24:02}:00:00\n" for n in range(200)
)
HEADER = "id,amount,store,came,at\n"
GOOD = HEADER + ROWS

# VmHWM begins anew with the program; ru_maxrss would count what the process that started it held.
MEASURED = """
import sys
from pathlib import Path
from pilotage.cli.main import run
code = run(["sync", sys.argv[1]])
lines = Path("/proc/self/status").read_text().splitlines()
print("KB", next(line.split()[1] for line in lines if line.startswith("VmHWM")))
sys.exit(code)
"""
TEXT = """
use_case: bad
title: Bad input
owner: owner@example.com
data_owner: data@example.com
brief:
  workflow: Cases come.
  users: Clerks
  decision: Check a case.
  kpi: Cost
  value: {currency: EUR, caught: 10, false_alarm: -2}
sources:
  cases: {PLACE, key: [id], event_time: at, known_at: at}
decision:
  entity: id
  source: cases
  moment: at
  request:
    at: datetime
    amount: {kind: number, required: false}
    store: {kind: category, required: false}
outcome: {source: cases, positive: came, says: comes, matures: 1 day}
inputs: {amount: request, store: request}
rule: {positive: "FALSE", says: nothing}
policy: {actions: {positive: Check, negative: Leave}}
"""


class Project:
    """A project of one source, an installation, and the directory of temporary files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.temporary = folder, folder / "home", folder / "temporary"
        self.temporary.mkdir()
        self.file = folder / "bad.yaml"
        self.data = folder / "cases.csv"

    def declare(self, place: str) -> None:
        self.file.write_text(TEXT.replace("PLACE", place))

    def kept(self) -> list[str]:
        """The files of snapshots in the lake."""
        return sorted(str(path) for path in (self.home / "lake").rglob("*.parquet"))

    def left_behind(self) -> list[Path]:
        lake = self.home / "lake"
        return [*self.temporary.iterdir(), *lake.glob(".*.tmp"), *(lake / ".spill").glob("*")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    made = Project(tmp_path)
    monkeypatch.setenv("PILOTAGE_HOME", str(made.home))
    monkeypatch.setattr(tempfile, "tempdir", str(made.temporary))
    monkeypatch.chdir(tmp_path)
    made.declare("files: cases.csv")
    yield made


def ragged(path: Path) -> None:
    path.write_text(GOOD + "c999,1,a\n")


def nothing_but_zeros(path: Path) -> None:
    path.write_bytes(b"\0" * 100_000)


def zeros_within(path: Path) -> None:
    path.write_bytes(GOOD.encode().replace(b"c7,", b"c\0\0\0,"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def only_a_header(path: Path) -> None:
    path.write_text(HEADER)


def a_million_columns(path: Path) -> None:
    path.write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n" + "1," * 999_999 + "1\n")


BAD: dict[str, Callable[[Path], None]] = {
    "ragged": ragged,
    "nothing but NUL": nothing_but_zeros,
    "NUL in a value": zeros_within,
    "empty": empty,
    "only a header": only_a_header,
    "a million columns": a_million_columns,
}


def refused(project: Project, capsys: Captured) -> str:
    """What sync says of it: once, with source and owner, without a trace; nothing new is kept or left behind."""
    before = project.kept()
    assert run(["sync", str(project.file)]) == 2
    said = capsys.readouterr().err
    assert "cases" in said
    assert "Traceback" not in said
    assert said.count("Error:") == 1
    assert "data@example.com" in said.replace("\n", " ") or "does not fit its sources" in said
    assert len(said) < 2_000
    assert project.kept() == before
    assert project.left_behind() == []
    return said


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("synced_before", [False, True])
def test_a_bad_file_is_named_and_what_was_there_stays(
    project: Project, capsys: Captured, kind: str, synced_before: bool
) -> None:
    if synced_before:
        project.data.write_text(GOOD)
        assert run(["sync", str(project.file)]) == 0
        capsys.readouterr()
        assert project.kept()
    BAD[kind](project.data)
    refused(project, capsys)
    assert bool(project.kept()) == synced_before


def test_a_wrong_encoding_is_named(project: Project, capsys: Captured) -> None:
    project.data.write_bytes(GOOD.replace("c7,", "Zürich,").encode("cp1252"))
    project.declare("files: cases.csv, encoding: utf-8")
    assert "utf-8" in refused(project, capsys)
    project.declare("files: cases.csv, encoding: klingon")
    assert "klingon" in refused(project, capsys)


def test_a_line_of_fifty_megabytes_is_refused_in_bounded_memory(project: Project) -> None:
    with project.data.open("w") as file:
        file.write(GOOD + "c999,1,")
        for _ in range(50):
            file.write("x" * 1_000_000)
        file.write(",True,2026-01-01 00:00:00\n")
    environment = {**os.environ, "TMPDIR": str(project.temporary)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(project.file)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 2
    assert "line 202" in done.stderr
    assert "Traceback" not in done.stderr
    assert int(done.stdout.split("KB")[1]) < 400_000
    assert project.left_behind() == []


def database(project: Project, script: str) -> None:
    connection = pysqlite3.connect(str(project.folder / "cases.db"))
    connection.executescript(script)
    connection.close()
    project.declare("database: env:CASES, table: cases")


def test_a_view_that_fails_half_way_leaves_nothing(
    project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASES", f"sqlite:///{project.folder / 'cases.db'}")
    database(
        project,
        "CREATE TABLE t (n INTEGER); INSERT INTO t WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n "
        "WHERE n < 60000) SELECT n FROM n;"
        "CREATE VIEW cases AS SELECT 'c' || n AS id, CASE WHEN n < 50000 THEN n ELSE abs(-9223372036854775808) END "
        "AS amount, 'a' AS store, 1 AS came, '2026-01-01 00:00:00' AS at FROM t",
    )
    project.file.write_text(project.file.read_text().replace("positive: came", "positive: came > 0"))
    assert "overflow" in refused(project, capsys)


def test_a_password_with_an_at_sign_must_be_encoded(
    project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASES", "postgresql://reader:hunter2@canary@127.0.0.1:1/shop")
    project.declare("database: env:CASES, table: cases")
    said = refused(project, capsys)
    assert "%40" in said
    assert "canary" not in said


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_hangs_is_left_after_seconds(
    project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from pilotage.data.flow import retrying

    monkeypatch.setattr(retrying.Patience, "wait", lambda self, tried: None)
    monkeypatch.setattr("pilotage.data.sources.databases.connecting.CONNECT_SECONDS", 2 if kind == "postgresql" else 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted: list[socket.socket] = []
        threading.Thread(target=lambda: accept(server, accepted), daemon=True).start()
        monkeypatch.setenv("CASES", f"{kind}://reader:canary@127.0.0.1:{server.getsockname()[1]}/shop")
        project.declare("database: env:CASES, table: cases")
        said = refused(project, capsys)
        assert len(accepted) == 3
    assert "canary" not in said


def accept(server: socket.socket, accepted: list[socket.socket]) -> None:
    while True:
        try:
            accepted.append(server.accept()[0])
        except OSError:
            return


LEGAL = {
    "one row": HEADER + "c1,1.5,a,True,2026-01-01 00:00:00\n",
    "strange names": GOOD.replace(HEADER, 'id,amount,store,came,at,select,"x""; DROP TABLE y"\n', 1)
    .replace(":00:00\n", ":00:00,1,2\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEGAL)
def test_unusual_but_legal_tables_are_read_and_audited(project: Project, capsys: Captured, kind: str) -> None:
    project.data.write_text(LEGAL[kind])
    assert run(["sync", str(project.file)]) == 0, capsys.readouterr().err
    assert run(["audit", str(project.file)]) == (1 if kind == "one row" else 0), capsys.readouterr().err
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "nan" not in said.out.lower().split()
    assert project.left_behind() == []


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_a_table_without_rows_is_said_and_one_of_one_row_or_of_nulls_only_is_read(
    project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setenv("CASES", f"sqlite:///{project.folder / 'cases.db'}")
    database(project, "CREATE TABLE cases (id TEXT, amount REAL, store TEXT, came BOOLEAN, at DATETIME);")
    if not rows:
        assert "has no rows" in refused(project, capsys)
        return
    for n in range(rows):
        database(project, f"INSERT INTO cases VALUES ('c{n}', NULL, NULL, {n % 2}, '2026-01-01 00:00:00')")
    assert run(["sync", str(project.file)]) == 0
    capsys.readouterr()
    assert run(["audit", str(project.file), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings[0]["severity"] == "blocks"
    assert not [finding for finding in findings if "nan" in finding["message"].split()]
