"""The use-case files under ``examples/``: each is consistent and short, and some are lived through on real data."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from benchmarks import models as benchmark
from pilotage.models.records import Comparison
from pilotage.models.rules import wording
from pilotage.usecase import flow as defining
from pilotage.usecase.rules.lints import lints

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in ROOT.glob("examples/*/*.yaml") if path.parent.name != "dispatch")
SCREEN_LINES = 70
NAMED = {path.stem: path for path in FILES}
every_file = pytest.mark.parametrize("file", FILES, ids=NAMED)


def tried(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> Comparison:
    """One example lived through on every n-th of its real rows; data that cannot be had skip the test loudly."""
    monkeypatch.setattr(benchmark, "CACHE", folder)
    example = next(one for one in benchmark.TRIED if one.name == name)
    return benchmark.tried(dataclasses.replace(example, every=every), quick=True).comparison


@every_file
def test_it_is_consistent(file: Path) -> None:
    definition = defining.read_definition(file)
    assert definition.use_case.guessed == {}
    assert {lint.id for lint in lints(definition)} <= {"one-clock", "late-outcomes"}


@every_file
def test_it_is_one_screen(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= SCREEN_LINES


@every_file
def test_it_says_why_a_decision_is_worth_that_much(file: Path) -> None:
    assert re.search(r"^ +#.+\n +value: ", file.read_text(), re.MULTILINE)


@every_file
def test_its_folder_explains_it_and_makes_its_data(file: Path) -> None:
    explained = (file.parent / "README.md").read_text()
    assert "The data: " in explained
    names = [one.name for one in benchmark.TRIED if one.folder == file.parent.name]
    assert f"python -m benchmarks.models --only {' '.join(names)}" in explained
    assert (file.parent / "prepare.py").exists()


def test_every_kind_of_outcome_is_among_them() -> None:
    assert {defining.read_definition(file).use_case.kind for file in FILES} == {"flag", "category", "number"}


def test_the_benchmark_tries_all_of_them() -> None:
    assert {benchmark.EXAMPLES / one.file for one in benchmark.TRIED} == set(FILES)


def test_a_call_s_length_is_refused_by_its_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = tried("bank_full_with_duration", tmp_path, monkeypatch, every=8)
    assert comparison.verdict == "blocked"
    assert any("duration of the decision's own call_id became known after" in one for one in comparison.blockers)


def test_a_bias_limit_is_measured_for_every_group_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = tried("compas", tmp_path, monkeypatch, every=1)
    assert [(one.column, one.limit) for one in comparison.fairness] == [("sex", 0.8), ("race", 0.8)]
    assert all(0 < one.rule <= 1 for one in comparison.fairness if one.rule is not None)
    score_in_use = wording.measured(comparison, "rule").measures["auc"].value
    assert all(one.measures["auc"].value > score_in_use for one in comparison.candidates if one.is_model)
