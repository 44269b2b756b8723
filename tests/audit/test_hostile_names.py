"""A use case whose columns are called like our own aliases, like words of SQL, or like nothing anybody expects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysqlite3
import pytest

from pilotage.cli.main import run
from pilotage.data import sources
from pilotage.data.records import FoundColumn
from pilotage.data.sources.asked import Asked
from pilotage.platform.quoting import quoted

Captured = pytest.CaptureFixture[str]
DAY = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 200

OURS = [
    "n", "n0", "n1", "k0", "k1", "i0", "i1", "p0", "c0", "s1", "d0", "h", "r", "s", "v", "w", "value", "rows", "day",
    "month", "category", "rate", "label_", "label", "entity", "moment", "rule", "matched", "key", "source", "half",
    "share", "period", "said", "kinds", "instant", "counted", "text", "current", "versions", "by_1", "spans", "changes",
    "bucket", "hour", "first", "last", "low", "high", "decisions", "step", "positive", "total", "name", "place",
]  # fmt: skip
WORDS = ["order", "group", "select", "default", "end", "from", "where", "table", "primary", "user", "x" * 62]
LOOKED_UP = [*OURS, *WORDS]
STRANGE = ["with.dot", 'x"; DROP TABLE y', "emoji 🎈", "back\\slash", "it's", "%s", "a b", "{brace}", "ümlaut", "1st"]


RESERVED = ["label", "entity", "moment", "rule"]


def written(name: str) -> str:
    """A name as YAML has it."""
    return json.dumps(name, ensure_ascii=False)


def moment(n: int) -> str:
    return f"{DAY + n * timedelta(hours=2):%Y-%m-%d %H:%M:%S}"


def cells(n: int, count: int) -> list[object]:
    """Numbers, words, flags, and numbers as text, with holes."""
    kinds = (n % 7 + n / 50, "abcde"[n % 5], n % 2, str(n % 11))
    return [None if (n + at) % 23 == 0 else kinds[at % 4] for at in range(count)]


def fill(path: Path, entity: str, only: Sequence[str] = ()) -> None:
    """Decisions, a history of lookups and outcomes, with all those columns, or with some of them."""
    connection = pysqlite3.connect(str(path))
    every = [*LOOKED_UP, *STRANGE]
    kinds = ("REAL", "TEXT", "BOOLEAN", "TEXT")
    taken = [at for at, name in enumerate(every) if name in (only or every)]
    names = [every[at] for at in taken]
    columns = ", ".join(f"{quoted(every[at])} {kinds[at % 4]}" for at in taken)
    places = ", ".join("?" for _ in range(len(names) + 3))
    for table in ("cases", "lookups"):
        connection.execute(
            f"CREATE TABLE {table} ({quoted(entity)} TEXT, {columns}, at DATETIME, seen DATETIME, store TEXT)"
        )
        for n in range(ROWS):
            when = moment(n)
            values = cells(n, len(every))
            row = (f"c{n}", *(values[at] for at in taken), when, when, "ab"[n % 2])
            connection.execute(f"INSERT INTO {table} VALUES ({places}, ?)", row)
    connection.execute(f"CREATE TABLE outcomes ({quoted(entity)} TEXT, came BOOLEAN, at DATETIME)")
    rows = [(f"c{n}", n % 3 == 0, moment(n + 12)) for n in range(ROWS)]
    connection.executemany("INSERT INTO outcomes VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def usecase(entity: str, request: dict[str, str], inputs: dict[str, str]) -> str:
    sent = "\n".join(f"    {written(name)}: {declared}" for name, declared in request.items())
    used = "\n".join(f"  {written(name)}: {declared}" for name, declared in inputs.items())
    return f"""
use_case: hostile
title: Hostile names
owner: owner@example.com
data_owner: data@example.com
brief:
  workflow: Cases come.
  users: Clerks
  decision: Check a case.
  kpi: Cost
  value: {{currency: EUR, caught: 10, false_alarm: -2}}
sources:
  cases: {{database: env:HOSTILE, table: cases, key: [{written(entity)}], event_time: at, known_at: seen}}
  lookups: {{database: env:HOSTILE, table: lookups, key: [{written(entity)}], event_time: at, known_at: seen}}
  outcomes: {{database: env:HOSTILE, table: outcomes, key: [{written(entity)}], event_time: at, known_at: at}}
decision:
  entity: {written(entity)}
  source: cases
  moment: at
  request:
    at: datetime
    store: category
{sent}
outcome: {{source: outcomes, positive: came, says: comes, matures: 1 day}}
inputs:
{used}
rule: {{positive: store = 'a', says: store a}}
policy: {{actions: {{positive: Check, negative: Leave}}}}
"""


def declared_kind(at: int) -> str:
    return ("number", "{kind: category, required: false}", "flag", "{kind: category, required: false}")[at % 4]


def optional(kind: str) -> str:
    return kind if kind.startswith("{") else f"{{kind: {kind}, required: false}}"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOSTILE", f"sqlite:///{tmp_path / 'hostile.db'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "hostile.yaml"


def all_steps(file: Path, capsys: Captured) -> dict[str, object]:
    """Every command from the sources to the report; what the audit said for machines."""
    name = str(file)
    steps = [
        ["check", name],
        ["sync", name],
        ["audit", name, "--report", str(file.parent / "report.html")],
        ["build", name],
        ["contract", "draft", name, "--write"],
        ["contract", "check", name],
        ["audit", name, "--apply", "columns", "--dry-run"],
        ["sql", name],
    ]
    for step in steps:
        code = run(step)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert code in ((0, 1) if step[1] == "check" else (0,)), (step, said.out[-3000:], said.err)
    assert run(["audit", name, "--latest", "--json"]) == 0
    report: dict[str, object] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize(
    ("entity", "part"),
    [
        ("Customer ID", 0),
        pytest.param("n", 1, marks=pytest.mark.long),
        pytest.param("order", 2, marks=pytest.mark.long),
    ],
)
def test_columns_called_like_our_aliases_or_words_of_sql_are_only_names(
    file: Path, capsys: Captured, entity: str, part: int
) -> None:
    sent = [name for at, name in enumerate(LOOKED_UP) if name != entity and at // 4 % 3 == part]
    # The column that is the entity is not there twice.
    fill_without(file.parent / "hostile.db", entity)
    request = {name: optional(declared_kind(LOOKED_UP.index(name))) for name in sent}
    inputs = dict.fromkeys([name for name in sent if name not in RESERVED], "request")
    file.write_text(usecase(entity, request, inputs))
    report = all_steps(file, capsys)
    assert report["findings"]
    assert (file.parent / "report.html").read_text().startswith("<!")


def fill_without(path: Path, entity: str) -> None:
    fill(path, "_id" if entity in LOOKED_UP else entity)
    if entity in LOOKED_UP:
        connection = pysqlite3.connect(str(path))
        for table in ("cases", "lookups"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {quoted(entity)}")
        for table in ("cases", "lookups", "outcomes"):
            connection.execute(f"ALTER TABLE {table} RENAME COLUMN _id TO {quoted(entity)}")
        connection.commit()
        connection.close()


@pytest.mark.parametrize(
    "shape", ["latest", *(pytest.param(each, marks=pytest.mark.long) for each in ("min", "mean", "distinct"))]
)
def test_looked_up_columns_of_such_names_are_taken_under_such_names(file: Path, capsys: Captured, shape: str) -> None:
    names = [
        name
        for at, name in enumerate(LOOKED_UP)
        if name not in [*RESERVED, "by_1"] and at % 4 == (1 if shape == "distinct" else 0)
    ][:5]
    fill(file.parent / "hostile.db", "Customer ID", names)
    how = "latest: lookups" if shape == "latest" else f"windows: lookups, aggregate: {shape}, over: 2 days"
    kind = "kind: number, " if shape == "latest" else ""
    inputs = {
        name: f"{{{how}, by: store, {kind}take: {written(take)}}}"
        for name, take in zip(names, [*names[1:], names[0]], strict=True)
    }
    file.write_text(usecase("Customer ID", {}, inputs))
    report = all_steps(file, capsys)
    assert report["findings"]


def test_mapped_request_columns_read_columns_of_any_name(file: Path, capsys: Captured) -> None:
    fill(file.parent / "hostile.db", "Customer ID", STRANGE)
    request = {}
    for at, name in enumerate(STRANGE):
        kind = ("number", "category", "flag", "category")[(len(LOOKED_UP) + at) % 4]
        request[f"column_{at}"] = f"{{kind: {kind}, required: false, column: {written(name)}}}"
    looked = {f"taken_{at}": f"{{latest: lookups, by: store, kind: category, take: {written(name)}}}"
              for at, name in enumerate(STRANGE)}  # fmt: skip
    numbers = [at for at in range(len(STRANGE)) if (len(LOOKED_UP) + at) % 4 == 0]
    looked |= {f"taken_{at}": looked[f"taken_{at}"].replace("category", "number") for at in numbers}
    file.write_text(usecase("Customer ID", request, {**dict.fromkeys(request, "request"), **looked}))
    assert all_steps(file, capsys)["findings"]


def test_columns_that_differ_in_case_only_are_refused_by_name(
    file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sources.introspect

    def introspect(asked: Asked) -> tuple[FoundColumn, ...]:
        """As PostgreSQL may have them; the names of files are told apart as they are read."""
        return (*real(asked), FoundColumn("stockcode", "text", "VARCHAR"))

    monkeypatch.setattr(sources, "introspect", introspect)
    fill(file.parent / "hostile.db", "StockCode")
    file.write_text(usecase("StockCode", {}, {"store": "request"}))
    assert run(["sync", str(file)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "Source cases: columns StockCode and stockcode differ in nothing but upper and lower case" in said
    assert "a view that names them apart" in said


@pytest.mark.parametrize("name", RESERVED)
def test_inputs_called_like_columns_of_training_sets_are_refused(file: Path, capsys: Captured, name: str) -> None:
    fill(file.parent / "hostile.db", "Customer ID")
    file.write_text(usecase("Customer ID", {name: "number"}, {name: "request"}))
    assert run(["check", str(file)]) == 2
    assert f"{name} is a name that training sets use themselves" in capsys.readouterr().out


def test_names_that_we_keep_for_ourselves_are_refused_with_what_a_name_is(file: Path, capsys: Captured) -> None:
    fill(file.parent / "hostile.db", "Customer ID")
    file.write_text(usecase("Customer ID", {"_x": "number"}, {"_x": "request"}))
    assert run(["check", str(file)]) == 2
    said = capsys.readouterr()
    assert "beginning with a letter" in said.out + said.err or "begins with a letter" in said.out + said.err
