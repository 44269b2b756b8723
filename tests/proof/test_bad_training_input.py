"""Bad input of training, from the command line, of each kind of outcome: one clear message, or a sound result.

The tables are the calls of a bank, cut, emptied or widened; what a sync refuses is in ``test_bad_input.py``.
"""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pilotage.cli.main import run
from pilotage.models.brought.own import fitting
from tests.proof.cases import DATED_CALLS
from tests.real_data import real_data

Captured = pytest.CaptureFixture[str]
KINDS = ("flag", "category", "number")
OUTCOMES = {"flag": "positive: y", "category": "category: job", "number": "number: balance"}
RULES = {"flag": "positive: poutcome = 'success'", "category": "category: \"'management'\"", "number": "number: 1400"}
VALUES = {
    "flag": "caught: 10, false_alarm: -2",
    "category": "right: 1, wrong: -2",
    "number": "too_low: -1, too_high: -1",
}
POLICIES = {
    "flag": "actions: {positive: Call, negative: Leave}, default: negative",
    "category": "default: management",
    "number": "default: 1400",
}
LABELS = {"flag": ("y", "BOOLEAN"), "category": ("job", "VARCHAR"), "number": ("balance", "DOUBLE")}
COLUMNS = {
    "age": "number",
    "marital": "category",
    "housing": "flag",
    "contact": "category",
    "campaign": "number",
    "poutcome": "category",
}
LINEAR = "candidates: {only: [linear]}\n"
TEXT = """
use_case: calls
title: Calls
owner: owner@example.com
data_owner: data@example.com
brief:
  workflow: Agents call customers.
  users: Agents
  decision: Whom to call.
  kpi: Margin
  value: {{currency: EUR, {value}}}
sources:
  calls: {{files: {file}, key: [call], event_time: called_at, known_at: called_at}}
decision:
  entity: {entity}
  source: calls
  request: {request}
outcome: {{source: calls, {outcome}, says: that it happens, matures: 1 day}}
inputs: {inputs}
rule: {{{rule}, says: as today}}
policy: {{{policy}}}
"""


class Project:
    """A use-case file beside its one table, and an installation."""

    def __init__(self, folder: Path, calls: Path, capsys: Captured) -> None:
        self.folder, self._calls, self._capsys = folder, calls, capsys
        self.file = folder / "calls.yaml"

    def table(self, select: str, every: int = 20, file: str = "calls.parquet") -> None:
        """Every so-manieth call, as a query over ``calls`` wants it."""
        with duckdb.connect(config={"threads": 1}) as engine:
            engine.execute(
                f"CREATE TABLE calls AS SELECT * FROM '{self._calls}' WHERE call % {every} = 0 ORDER BY call"
            )
            engine.execute(f"COPY ({select}) TO '{self.folder / file}'")

    def declare(
        self,
        kind: str = "flag",
        more: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
        extra: str = LINEAR,
        **other: str,
    ) -> None:
        """``more`` columns of the request; without ``inputs`` all of the request are inputs."""
        columns = COLUMNS | dict(more or {})
        taken = dict.fromkeys(columns, "request") if inputs is None else inputs
        given = {
            "value": VALUES[kind],
            "outcome": OUTCOMES[kind],
            "rule": RULES[kind],
            "policy": POLICIES[kind],
            "file": "calls.parquet",
            "entity": "call",
        } | other
        request, used = (f"{{{', '.join(f'{k}: {v}' for k, v in some.items())}}}" for some in (columns, taken))
        self.file.write_text(TEXT.format(request=request, inputs=used, **given) + extra)

    def run(self, command: str, code: int = 0) -> str:
        """What the command says, when it ends as it should; never a trace."""
        ended = run([*command.split(), str(self.file)])
        said = self._capsys.readouterr()
        whole = " ".join((said.out + said.err).split())
        assert ended == code, whole
        assert "Traceback" not in whole
        return whole

    def trained(self) -> dict[str, Any]:
        """The comparison after sync, build and train."""
        for command in ("check", "sync", "build"):
            self.run(command)
        assert run(["train", str(self.file), "--json"]) == 0
        found: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        for one in found["candidates"]:
            assert all(figure["value"] == figure["value"] for figure in one["measures"].values())
        return found

    def refused(self) -> str:
        """What train says after sync and build went well."""
        for command in ("sync", "build"):
            self.run(command)
        return self.run("train", 2)

    def audited(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The findings by code and column."""
        run(["audit", str(self.file), "--json"])
        findings = json.loads(self._capsys.readouterr().out)["findings"]
        return {(one["code"], one["column"]): one for one in findings}


@pytest.fixture(scope="module")
def all_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All calls of the bank with their dates, as Parquet."""
    file = tmp_path_factory.mktemp("bank") / "calls.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY ({DATED_CALLS.format(path=real_data('bank_full'))}) TO '{file}'")
    return file


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, fresh_database: Path, all_calls: Path
) -> Iterator[Project]:
    (tmp_path / "home").mkdir()
    shutil.copy(fresh_database, tmp_path / "home")
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    yield Project(tmp_path, all_calls, capsys)


ONE_ONLY = {
    "flag": ("true", "all 2,259 outcomes are positive"),
    "category": ("'clerk'", "outcomes that differ; all 2,259 are clerk"),
    "number": ("5.0", "outcomes that differ; all 2,259 are 5"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_outcome_only_is_said_by_audit_and_train(project: Project, kind: str) -> None:
    only, says = ONE_ONLY[kind]
    project.table(f"SELECT * REPLACE ({only} AS {LABELS[kind][0]}) FROM calls")
    project.declare(kind)
    assert says in project.refused()
    assert project.audited()["one-class", ""]["severity"] == "blocks"


def test_not_one_positive_outcome_is_said(project: Project) -> None:
    project.table("SELECT * REPLACE (false AS y) FROM calls")
    project.declare()
    assert "at least 50 positive outcomes; there are 0 in 2,259 rows" in project.refused()


@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_that_is_always_missing_is_said(project: Project, kind: str) -> None:
    column, type_ = LABELS[kind]
    project.table(f"SELECT * REPLACE (CAST(NULL AS {type_}) AS {column}) FROM calls")
    project.declare(kind)
    for command in ("check", "sync"):
        project.run(command)
    assert "0 with a known outcome" in project.run("build")
    said = project.run("train", 2)
    assert "None of the 2,259 decisions in the training set of calls has an outcome" in said
    assert "pilotage audit" in said
    assert "none has a known outcome" in project.audited()["one-class", ""]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_rows_are_too_few_to_train_and_enough_to_audit(project: Project, kind: str) -> None:
    project.table("SELECT * FROM calls ORDER BY hash(call) LIMIT 31", every=10)
    project.declare(kind)
    said = project.refused()
    assert ("positive outcomes; there are" if kind == "flag" else "at least 200 rows with an outcome") in said
    assert "Sync more history" in said
    assert any(code == "few-outcomes" for code, _ in project.audited())


def test_outcomes_of_one_kind_in_the_part_that_teaches_are_said(project: Project) -> None:
    project.table("SELECT * REPLACE (y AND called_at > TIMESTAMP '2009-06-01' AS y) FROM calls", every=10)
    project.declare()
    assert "The training part of the history needs at least 10 positive and negative" in project.refused()


def test_a_category_with_three_rows_is_not_learnt_and_counts_as_wrong(project: Project) -> None:
    project.table(
        "SELECT * REPLACE (CASE WHEN call IN (2000, 9000, 43000) THEN 'astronaut' ELSE job END AS job) FROM calls"
    )
    project.declare("category")
    for command in ("sync", "build"):
        project.run(command)
    said = project.run("train")
    assert "Not learnt, for want of 5 rows in the training part: astronaut" in said
    assert "wrong whatever is answered" in said


def test_a_category_that_only_the_judged_part_has_is_in_no_model_and_every_one_of_its_rows_is_wrong(
    project: Project,
) -> None:
    late = "called_at > TIMESTAMP '2009-08-01'"
    project.table(f"SELECT * REPLACE (CASE WHEN {late} THEN 'astronaut' ELSE job END AS job) FROM calls")
    project.declare("category")
    found = project.trained()
    assert "astronaut" not in found["classes"]
    with duckdb.connect() as engine:
        count = f"SELECT count(*) FROM '{project.folder / 'calls.parquet'}' WHERE {late} AND called_at < '2010-11-16'"
        share = (found["rows_held_out"] - engine.execute(count).fetchall()[0][0]) / found["rows_held_out"]
    learnt = next(one for one in found["candidates"] if one["candidate"] == "linear")
    assert 0 <= learnt["measures"]["accuracy"]["value"] <= share + 0.01


def test_as_many_categories_as_rows_are_refused(project: Project) -> None:
    project.table("SELECT * REPLACE ('v' || call AS job) FROM calls")
    project.declare("category")
    assert "at least two categories with 5 rows each in its training part; there is none" in project.refused()
    assert project.audited()["many-categories", ""]["severity"] == "blocks"


def test_infinite_outcomes_are_not_known_and_the_others_teach(project: Project) -> None:
    infinite = "CASE WHEN call % 7 = 0 THEN 'inf' WHEN call % 11 = 0 THEN '-inf' WHEN call % 13 = 0 THEN 'nan' END"
    project.table(f"SELECT * REPLACE (coalesce(CAST({infinite} AS DOUBLE), balance) AS balance) FROM calls")
    project.declare("number")
    found = project.trained()
    with duckdb.connect() as engine:
        finite = (
            "SELECT count(*) FILTER (isfinite(balance)), count(*) FROM 'calls.parquet' WHERE called_at < '2010-11-16'"
        )
        known, rows = engine.execute(finite).fetchall()[0]
    used = found["rows_train"] + found["rows_calibrate"] + found["rows_held_out"]
    assert known < 0.75 * rows
    assert known - 60 <= used <= known  # an embargo of a day leaves out a few


def test_outcomes_that_are_all_infinite_are_none(project: Project) -> None:
    project.table("SELECT * REPLACE (CAST('inf' AS DOUBLE) AS balance) FROM calls")
    project.declare("number")
    assert (
        "has an outcome: no row of calls goes with them, or what `outcome.number` reads is empty" in project.refused()
    )


def test_numbers_that_are_no_measurement_are_named_with_a_repair(project: Project) -> None:
    project.table("SELECT * REPLACE (CASE WHEN call % 700 = 0 THEN 1e300 ELSE balance END AS balance) FROM calls")
    project.declare("number")
    said = project.refused()
    assert "lie outside, such as 1e+300" in said
    assert "CASE WHEN amount < 1000000 THEN amount END" in said


ODD = {
    "infinite": "CASE WHEN call % 7 = 0 THEN CAST('inf' AS DOUBLE) WHEN call % 11 = 0 THEN '-inf' ELSE age END",
    "nearly infinite": "CASE WHEN call % 70 = 0 THEN 1e300 ELSE age END",
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_infinite_values_of_an_input_are_missing_and_nearly_infinite_ones_break_nothing(
    project: Project, kind: str
) -> None:
    project.table(f"SELECT * REPLACE ({ODD[kind]} AS age) FROM calls")
    project.declare(extra="candidates: {only: [linear, additive, boosted]}\n")
    found = project.trained()
    assert {"linear", "additive", "boosted"} <= set(found["artefacts"])  # kept, read back, and no decision flips
    assert project.audited()


def test_infinite_values_written_as_text_are_named_with_the_key_that_reads_them(project: Project) -> None:
    project.table(
        "SELECT * REPLACE (CASE WHEN call % 7 = 0 THEN 'inf' ELSE CAST(age AS VARCHAR) END AS age) FROM calls",
        file="calls.csv",
    )
    project.declare(file="calls.csv")
    assert "calls.age is a text; a number or flag is wanted" in project.run("check", 2)
    assert "`missing` and `decimal` of the source" in project.run("check", 2)
    project.file.write_text(project.file.read_text().replace("files: calls.csv", "files: calls.csv, missing: ['inf']"))
    assert project.trained()["artefacts"]


def test_constant_and_empty_columns_are_named_and_what_is_empty_blocks(project: Project) -> None:
    project.table("SELECT *, 1 AS one, 'x' AS word, CAST(NULL AS DOUBLE) AS nothing FROM calls")
    missing = "{kind: number, required: false}"
    project.declare(more={"one": "number", "word": "category", "nothing": missing})
    found = project.trained()
    assert found["verdict"] != "blocked"
    findings = project.audited()
    assert {("constant-column", "one"), ("constant-column", "word")} <= set(findings)
    assert findings["incomplete-input", "nothing"]["severity"] == "blocks"
    assert "Verdict: blocked" in project.run("train")


def test_two_equal_columns_and_one_input_twice_change_nothing_but_the_weights(project: Project) -> None:
    project.table("SELECT *, age AS age_2, poutcome AS poutcome_2 FROM calls")
    project.declare()
    alone = project.trained()
    project.declare(
        more={"age_2": "number", "poutcome_2": "category"},
        inputs={**dict.fromkeys(COLUMNS, "request"), "age_2": "request", "poutcome_2": "request"}
        | {"again": "{derived: age}"},
    )
    twice = project.trained()
    logloss = [
        next(one for one in found["candidates"] if one["candidate"] == "linear")["measures"]["log_loss"]["value"]
        for found in (alone, twice)
    ]
    assert logloss[1] == pytest.approx(logloss[0], abs=0.02)


def test_an_input_that_stands_twice_in_the_file_is_a_mistake_with_its_line(project: Project) -> None:
    project.table("SELECT * FROM calls")
    project.declare()
    text = project.file.read_text()
    project.file.write_text(text.replace("inputs: {age: request,", "inputs: {age: request, age: request,"))
    assert "age stands here a second time" in project.run("check", 2)


@pytest.mark.parametrize(
    ("written", "file"),
    [pytest.param("%Y-%m-%d", "csv", marks=pytest.mark.long), ("%d.%m.%Y", "csv"), ("%Y-%m-%d", "parquet")],
)
def test_a_date_as_text_is_read_in_files_and_elsewhere_said(project: Project, written: str, file: str) -> None:
    project.table(
        f"SELECT *, strftime(called_at - INTERVAL 30 DAY, '{written}') AS last_seen FROM calls", file=f"calls.{file}"
    )
    weekday = {**dict.fromkeys(COLUMNS, "request"), "weekday": "{derived: EXTRACT(DOW FROM last_seen), kind: category}"}
    project.declare(more={"last_seen": "datetime"}, inputs=weekday, file=f"calls.{file}")
    if file == "csv":
        assert project.trained()["artefacts"]
        return
    said = project.run("check", 2)
    assert "calls.last_seen is a text; a datetime is wanted" in said
    assert "CAST(… AS TIMESTAMP)" in said
    weekday["weekday"] = "{derived: EXTRACT(DOW FROM CAST(last_seen AS TIMESTAMP)), kind: category}"
    project.declare(more={"last_seen": "category"}, inputs=weekday)
    assert project.trained()["artefacts"]
    project.declare(more={"last_seen": "category"})
    project.run("sync")
    assert project.audited()["dates-as-text", "last_seen"]["severity"] == "warns"


def test_a_date_as_text_that_is_declared_as_a_category_is_corrected(project: Project) -> None:
    project.table("SELECT *, strftime(called_at, '%d.%m.%Y') AS last_seen FROM calls", file="calls.csv")
    project.declare(more={"last_seen": "category"}, file="calls.csv")
    assert "calls.last_seen is a datetime" in project.run("check", 2)
    assert "Declare it as datetime" in project.run("check", 2)


@pytest.mark.long
def test_a_category_of_a_hundred_thousand_values_is_learnt_in_bounded_time_and_memory(project: Project) -> None:
    each = "SELECT * REPLACE (call * 3 + n AS call), 'v' || (call * 3 + n) % 100003 AS code"
    project.table(f"{each} FROM calls, (SELECT unnest(range(3)) AS n)", every=1)
    project.declare(more={"code": "category"}, extra="candidates: {only: [boosted]}\n")
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = project.trained()
    assert found["rows_train"] > 90_000
    assert set(found["artefacts"]) == {"boosted"}
    assert time.process_time() - began < 90
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_500_000  # kilobytes


def wide(count: int) -> str:
    """So many columns of real numbers, each shuffled in its own way."""
    made = ", ".join(f"(hash(call * {number + 1}) % 100) * age AS c{number:04}" for number in range(count))
    return f"SELECT *, {made} FROM calls"


def test_a_table_of_five_thousand_columns_is_refused_in_bounded_memory_with_what_to_do(project: Project) -> None:
    project.table(wide(4_983), every=15)
    project.declare()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "is consistent" in project.run("check")
    said = project.run("sync", 2)
    assert "Source calls with its 5,000 columns" in said
    assert "through a view that leaves out what the use case does not need" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_500_000


def test_a_table_of_two_thousand_columns_is_read_and_what_is_needed_of_it_teaches(project: Project) -> None:
    project.table(wide(1_983), every=20)
    project.declare()
    assert project.trained()["artefacts"]


def test_a_file_that_declares_thousands_of_columns_is_told_to_choose(project: Project) -> None:
    project.table("SELECT * FROM calls")
    project.declare(more={f"column_{number:04}": "number" for number in range(5_000)})
    said = project.run("check", 2)
    assert "larger than 64 KiB" in said
    assert "declare those that matter" in said


def test_three_hundred_inputs_are_learnt_and_only_some_of_them_named(project: Project) -> None:
    project.table(wide(300))
    project.declare(more={f"c{number:04}": "number" for number in range(300)})
    found = project.trained()
    said = project.run("compare")
    assert len(found["ablation"]["skipped"]) > 200
    assert "c0299" not in said
    assert f"and {len(found['ablation']['skipped']) - 12:,} more" in said


def test_an_entity_with_many_rows_is_decided_once_and_never_on_both_sides_of_the_split(project: Project) -> None:
    project.table("SELECT *, call // 20 AS customer FROM calls", every=5)
    project.declare(entity="customer")
    project.run("sync")
    built = project.run("build")
    assert "replaced by a newer row of the same entity" in built
    found = project.trained()
    assert found["rows_train"] + found["rows_calibrate"] + found["rows_held_out"] <= 45_211 // 20 + 1


def test_a_rule_that_reads_the_outcome_blocks_the_comparison(project: Project) -> None:
    project.table("SELECT * FROM calls")
    project.declare(more={"y": "flag"}, inputs=dict.fromkeys(COLUMNS, "request"), rule="positive: y")
    assert project.trained()["verdict"] != "blocked"  # nobody has looked yet
    found = project.audited()["copy-of-the-label", "y"]
    assert (found["severity"], "the rule reads it" in found["message"]) == ("blocks", True)
    said = project.run("train")
    assert "Verdict: blocked" in said
    assert "nothing can be compared with a rule that knows what will happen" in said


@pytest.mark.parametrize("is_input", [pytest.param(True, marks=pytest.mark.long), False])
def test_a_rule_over_what_a_call_lasted_is_asked_about_and_the_comparison_says_so(
    project: Project, is_input: bool
) -> None:
    project.table("SELECT * FROM calls", every=5)
    taken = {**COLUMNS, "duration": "number"} if is_input else COLUMNS
    project.declare(
        more={"duration": "number"}, inputs=dict.fromkeys(taken, "request"), rule="positive: duration > 300"
    )
    project.run("sync")
    project.run("build")
    assert project.audited()["too-good-to-be-true", "duration"]["severity"] == "warns"
    said = project.run("train")
    assert "The rule reads duration, and may be worth less than it seems" in said


def test_a_rule_over_a_date_after_the_decision_is_asked_about(project: Project) -> None:
    project.table("SELECT *, called_at + to_seconds(duration) AS hung_up FROM calls")
    late = "positive: hung_up > CAST('2009-06-01' AS TIMESTAMP)"
    project.declare(more={"hung_up": "datetime"}, inputs=dict.fromkeys(COLUMNS, "request"), rule=late)
    project.run("sync")
    project.run("build")
    found = project.audited()["later-than-decision", "hung_up"]
    assert found["severity"] == "warns"
    assert "the rule stands on it" in found["message"]
    assert found["repair"].startswith("Take it out of the rule.")
    assert "The rule reads hung_up, and may be worth less than it seems" in project.run("train")


def test_a_rule_over_honest_columns_is_not_asked_about(project: Project) -> None:
    project.table("SELECT * FROM calls")
    project.declare(inputs={"age": "request", "contact": "request"})  # the rule reads poutcome, which is no input
    project.run("sync")
    project.run("build")
    leaks = [column for code, column in project.audited() if code in ("too-good-to-be-true", "copy-of-the-label")]
    assert "poutcome" not in leaks
    assert "may be worth less than it seems" not in project.run("train")


OWN = """
import os, time
from sklearn.linear_model import LinearRegression, LogisticRegression

def broken(kind):
    class Broken(LinearRegression if kind == "number" else LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("the matrix is of the wrong colour")
    return Broken()

def slow(kind):
    class Slow(LinearRegression if kind == "number" else LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            time.sleep(600)
    return Slow()

def number():
    return 7

def gone():
    os._exit(3)
"""
REFUSED = {
    "broken": "while learning it raised ValueError: the matrix is of the wrong colour (mine.py, line 8)",
    "slow": "it was not done after 3 seconds and was stopped",
    "number": "which is no estimator of scikit-learn",
    "gone": "ended with status 3",
    "absent": "has no function absent",
}


@pytest.mark.parametrize("kind", ["flag", *(pytest.param(kind, marks=pytest.mark.long) for kind in KINDS[1:])])
def test_own_estimators_that_raise_hang_or_vanish_are_refused_and_the_others_go_on(
    project: Project, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file's shortest duration is a minute: nobody waits so long for a test.
    monkeypatch.setattr(fitting, "seconds", lambda duration: 3 if duration == "2 minutes" else 60)
    project.table("SELECT * FROM calls")
    (project.folder / "mine.py").write_text(OWN)
    names = REFUSED if kind == "flag" else ("broken", "slow")
    waits = {name: "2 minutes" if name == "slow" else "1 minute" for name in names}
    own = ", ".join(f"{name}: {{estimator: 'mine.py:{name}', timeout: {waits[name]}}}" for name in names)
    project.declare(kind, extra=f"candidates: {{only: [linear], own: {{{own}}}}}\n")
    found = project.trained()
    assert set(found["refused"]) == set(names)
    assert all(REFUSED[name] in said for name, said in found["refused"].items())
    assert list(found["artefacts"]) == ["linear"]
