"""What is wrong with a file, its sources and what lies beside it comes in one pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilotage.cli.main import run
from tests.decisions.test_batch import FILE

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    rows = [f"{n},a,{n},2024-01-{n % 28 + 1:02},{n % 2}" for n in range(1, 101)]
    (tmp_path / "orders.csv").write_text("order_no,shop,amount,placed_on,returned\n" + "\n".join(rows) + "\n")
    return tmp_path


def found(project: Path, text: str, capsys: Captured) -> dict[str, str]:
    """Where → what is wrong, of a file that has mistakes."""
    (project / "refund.yaml").write_text(text.replace("FOLDER", str(project)))
    assert run(["check", str(project / "refund.yaml"), "--json"]) == 2
    return {one["where"]: one["message"] for one in json.loads(capsys.readouterr().out)["problems"]}


def test_wrong_columns_are_named_beside_a_wrong_input(project: Path, capsys: Captured) -> None:
    text = FILE.replace("inputs: {shop", "inputs: {shopp").replace("positive: returned", "positive: retourned")
    said = found(project, text.replace("known_at: placed_on", "known_at: placed"), capsys)
    assert set(said) == {"inputs.shopp", "outcome.positive", "sources.orders.known_at"}


def test_a_missing_estimator_is_found_before_training(project: Path, capsys: Captured) -> None:
    (project / "mine.py").write_text("def make(kind):\n    return None\n")
    own = "candidates: {own: {one: {estimator: 'my.py:make'}, two: {estimator: 'mine.py:make'}}}\n"
    said = found(project, FILE + own, capsys)
    assert said == {"candidates.own.one.estimator": f"There is no file {project / 'my.py'}."}
