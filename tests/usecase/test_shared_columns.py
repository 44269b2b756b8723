"""Columns declared once: part of every use case that names them, with its text, its fingerprints and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilotage.cli.main import run
from pilotage.platform.errors import InvalidFile, Problem
from pilotage.usecase.flow import parse_definition, read_definition
from pilotage.usecase.records import Definition
from tests.data.shop import TEXT

Captured = pytest.CaptureFixture[str]
VISITS = TEXT[TEXT.index("  visits:\n    database") : TEXT.index("  returns:\n    database")]
SHARED = f"""columns: visits_now
owner: visits@example.com
description: What visitors of a store said lately.
sources:
{VISITS}inputs:
  last_score: {{latest: visits, by: store, take: score, within: 3 hours}}
  last_grade: {{latest: visits, by: store, take: grade, kind: category, within: 1 day}}
  busy: {{windows: visits, by: store, aggregate: count, over: [2 hours, 1 day]}}
"""
USE = "  said: {shared: visits_now, take: [last_score, busy]}\n"


def using(use: str = USE, text: str = TEXT) -> str:
    """The shop without lookups and visits of its own."""
    start, end = text.index("  last_score:"), text.index("\nrule:")
    return (text[:start] + use + text[end:]).replace(VISITS, "")


def written(folder: Path, use: str = USE, shared: str = SHARED, text: str = TEXT) -> Definition:
    (folder / "columns").mkdir(exist_ok=True)
    (folder / "columns" / "visits.yaml").write_text(shared)
    (folder / "shop.yaml").write_text(using(use, text))
    return read_definition(folder / "shop.yaml")


def problems(folder: Path, use: str = USE, shared: str = SHARED, text: str = TEXT) -> tuple[Problem, ...]:
    with pytest.raises(InvalidFile) as found:
        written(folder, use, shared, text)
    return found.value.problems


def test_a_use_case_has_the_inputs_that_it_takes_as_if_they_stood_in_its_file(tmp_path: Path) -> None:
    definition = written(tmp_path)
    own = parse_definition(TEXT, "shop.yaml").plan
    assert definition.plan.names == ("amount", "store", "hour", "last_score", "count_by_store_2h", "count_by_store_1d")
    shared = next(column for column in definition.plan.columns if column.name == "last_score")
    assert shared in own.columns
    assert definition.use_case.sources["visits"].table == "visits"


def test_without_take_all_inputs_are_taken(tmp_path: Path) -> None:
    assert "last_grade" in written(tmp_path, "  said: {shared: visits_now}\n").plan.names


def test_a_key_may_have_another_name_in_the_use_case(tmp_path: Path) -> None:
    text = TEXT.replace("    store: {kind", "    shop: {column: store, kind").replace("store: request", "shop: request")
    definition = written(tmp_path, "  said: {shared: visits_now, take: last_score, by: {shop: store}}\n", text=text)
    column = next(each for each in definition.plan.columns if each.name == "last_score")
    assert (column.by, column.found_by) == (("shop",), ("store",))  # type: ignore[union-attr]


def test_a_change_of_the_shared_file_is_a_change_of_the_use_case_and_a_comment_none_of_its_substance(
    tmp_path: Path,
) -> None:
    before = written(tmp_path)
    noted = written(tmp_path, shared="# seen\n" + SHARED)
    changed = written(tmp_path, shared=SHARED.replace("within: 3 hours", "within: 4 hours"))
    assert noted.fingerprint != before.fingerprint
    assert (noted.substance, noted.plan.fingerprint) == (before.substance, before.plan.fingerprint)
    assert changed.substance != before.substance
    assert changed.plan.fingerprint != before.plan.fingerprint


def test_what_was_adopted_can_be_read_again_from_its_text_alone(tmp_path: Path) -> None:
    definition = written(tmp_path)
    assert parse_definition(definition.text, "elsewhere.yaml") == definition


def test_a_mistake_in_a_shared_input_names_both_files_and_both_lines(tmp_path: Path) -> None:
    shared = SHARED.replace("by: store, take: score", "by: stor, take: score")
    (found,) = problems(tmp_path, shared=shared)
    line = using().splitlines().index(USE.rstrip("\n")) + 1
    theirs = next(n for n, text in enumerate(shared.splitlines(), 1) if "by: stor," in text)
    assert found.line == line
    assert found.where == "inputs.last_score.by"
    assert found.message.endswith(f"It stands in columns/visits.yaml, line {theirs}.")


def test_a_shared_file_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, shared=SHARED.replace("owner: visits@example.com\n", "", 1))
    assert found.where == "inputs.said.shared"
    assert "columns/visits.yaml:1:1 file: owner is missing." in found.message


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ("  said: {shared: visits_nov}\n", "no file beside this one"),
        ("  said: {shared: visits_now, take: last_scor}\n", "Did you mean last_score?"),
        ("  said: {shared: visits_now, within: 2 days}\n", "within does not go with shared"),
        (USE + "  last_score: {derived: amount}\n", "has an input last_score, and so has this file"),
        (USE + "  more: {shared: visits_now, take: busy}\n", "has an input busy"),
    ],
)
def test_uses_that_do_not_fit_are_named(tmp_path: Path, use: str, said: str) -> None:
    assert any(said in problem.message + problem.repair for problem in problems(tmp_path, use))


def test_a_source_that_is_declared_twice_must_be_the_same(tmp_path: Path) -> None:
    with_visits = TEXT.replace("sources:\n", "sources:\n" + VISITS.replace("table: visits", "table: other"), 1)
    text = with_visits.replace(VISITS, "")
    (found,) = problems(tmp_path, text=text)
    assert "columns/visits.yaml declares a source visits otherwise than this file" in found.message


def test_the_command_lists_files_owners_and_users_and_who_has_an_older_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    from pilotage.govern.records import SYSTEM
    from pilotage.platform.workspace import opened
    from pilotage.usecase.flow import adopt

    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    with opened() as work:
        adopt(work, written(tmp_path), SYSTEM, str(tmp_path / "shop.yaml"))
    assert run(["columns", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "visits_now" in said
    assert "owner visits@example.com" in said
    assert "used by: returns" in said
    assert "another text" not in said
    (tmp_path / "columns" / "visits.yaml").write_text(SHARED.replace("3 hours", "5 hours"))
    assert run(["columns", str(tmp_path), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["used_by"], found["outdated"]) == (["returns"], ["returns"])
