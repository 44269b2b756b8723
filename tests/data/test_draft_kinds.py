"""Drafts of outcomes that are one of several categories, or a number: each fits the data that it was guessed from."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import duckdb
import pytest

from pilotage.cli.main import run
from pilotage.data.guessing.labels import labels_of
from pilotage.data.guessing.project import outcomes_of
from pilotage.usecase.flow import parse_definition
from tests.data.test_guessing import column, table
from tests.data.test_initiating import drafted, inputs_of
from tests.models.flights import ARCHIVE, unpack
from tests.proof.cases import DATED_CALLS
from tests.real_data import real_data

Captured = pytest.CaptureFixture[str]
QUEUES = tuple((f"queue {n}", 100 - n) for n in range(12))


def test_of_posts_the_group_is_the_category_and_their_text_is_read_as_text() -> None:
    found = drafted(real_data("newsgroups"))
    use_case = parse_definition(found.text, "case.yaml").use_case
    assert (use_case.kind, use_case.outcome.category) == ("category", "category")
    assert use_case.decision.request == {"text": "text"}
    assert inputs_of(found) == {"text"}
    assert "decision.judged" in found.project.left_out["split"]
    assert use_case.policy.default == "rec.sport.hockey"
    assert {"outcome.category", "rule.category", "policy.default", "brief.value"} <= set(use_case.guessed)
    assert "policy.actions" not in use_case.guessed


def test_of_reviews_the_score_stays_yes_or_no_and_their_text_is_read_as_text() -> None:
    found = drafted(real_data("food_reviews"))
    assert (found.project.label.kind, found.project.label.columns) == ("flag", ("score",))
    assert inputs_of(found) == {"review"}
    assert parse_definition(found.text, "case.yaml").use_case.decision.request["review"] == "text"


def test_of_credits_amount_and_duration_are_inputs_because_good_or_bad_says_what_happened() -> None:
    found = drafted(real_data("german_credit"))
    assert (found.project.label.kind, found.project.label.condition) == ("flag", "credit = 'bad'")
    assert found.project.label.named
    assert {"credit_amount", "duration"} <= inputs_of(found)


def test_of_flights_without_a_column_for_late_ones_the_delay_on_arrival_is_the_number(tmp_path: Path) -> None:
    if not ARCHIVE.exists():
        pytest.skip(f"REAL DATA MISSING: {ARCHIVE}")
    unpack(tmp_path)
    (tmp_path / "weather.csv").unlink()
    with (tmp_path / "flights.csv").open() as year:
        first = list(islice(year, 80_000))
    (tmp_path / "flights.csv").write_text("".join(first))
    found = drafted(tmp_path / "flights.csv")
    use_case = parse_definition(found.text, "case.yaml").use_case
    assert (use_case.kind, use_case.outcome.number) == ("number", "arr_delay")
    assert "dep_delay" not in inputs_of(found)
    assert found.project.left_out["dep_delay"] == "it is named like the outcome, which it may tell"
    assert use_case.policy.default == float(use_case.rule.expression)


def test_a_flag_goes_before_a_category_and_a_category_before_what_no_name_speaks_for() -> None:
    queue = column("queue", distinct=12, common=QUEUES)
    vip = column("vip", "flag", 2, common=(("false", 900), ("true", 100)))
    churned = column("churned", distinct=2, common=(("no", 900), ("yes", 100)))
    key = {"unique": (("id",),)}
    without = table("tickets", column("id"), queue, vip, **key)
    found = outcomes_of((without,), labels_of((without,)))
    assert [(one.kind, one.condition) for one in found] == [("category", "queue"), ("flag", "vip")]
    beside = table("tickets", column("id"), queue, vip, churned, **key)
    found = outcomes_of((beside,), labels_of((beside,)))
    assert [one.condition for one in found] == ["churned = 'yes'", "vip"]
    assert labels_of((beside,), "which_queue")[0].condition == "queue"  # the use case's name speaks of it


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("amount", "number"),
        ("Dauer in Tagen", "number"),
        ("handling_duration", "number"),
        ("scheduled_duration", None),  # known before
        ("amount_id", None),
        ("length", None),
    ],
)
def test_a_number_is_proposed_by_its_name(name: str, kind: str | None) -> None:
    seen = table("cases", column(name, "number", 300, middle=12.5, fractional=True))
    assert [one.kind for one in labels_of((seen,))] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [("team", 12, "category"), ("team", 400, None), ("city", 12, None), ("team_id", 12, None)],
)
def test_a_category_is_proposed_by_its_name_and_its_values(name: str, values: int, kind: str | None) -> None:
    seen = table("cases", column(name, distinct=values, common=QUEUES))
    assert [one.kind for one in labels_of((seen,))] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("kind", "select"),
    [
        ("category", "call, called_at, age, marital, education, contact, job AS team"),
        ("number", "call, called_at, age, marital, education, contact, balance AS amount"),
    ],
)
def test_a_confirmed_draft_is_trained_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, kind: str, select: str
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as engine:
        dated = DATED_CALLS.format(path=real_data("bank_full"))
        engine.execute(f"COPY (SELECT {select} FROM ({dated}) WHERE call % 20 = 0 ORDER BY call) TO 'calls.parquet'")
    assert run(["init", "--from", "calls.parquet", "--name", "calls"]) == 0
    text = Path("calls.yaml").read_text()
    Path("calls.yaml").write_text(text[: text.index("\nguessed:")] + "\ncandidates: {only: [linear]}\n")
    assert run(["check", "calls.yaml"]) == 0
    for command in ("sync", "build"):
        assert run([command, "calls.yaml"]) == 0
    capsys.readouterr()
    assert run(["train", "calls.yaml", "--json"]) == 0
    comparison = json.loads(capsys.readouterr().out)
    assert (comparison["kind"], list(comparison["artefacts"])) == (kind, ["linear"])
