"""What comes after an audit: no step that cannot be gone, and the file wherever the command is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotage.audit.records import Finding
from pilotage.cli.main import run
from pilotage.models.rules.peeking import clock_cautions
from tests.decisions.test_batch import FILE

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    """29 orders, 7 of which came back; synced by a path from the folder above."""
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    rows = [f"{n},{n % 3},{n},2024-01-{n % 28 + 1:02},{int(n % 4 == 0)}" for n in range(1, 30)]
    (tmp_path / "orders.csv").write_text("order_no,shop,amount,placed_on,returned\n" + "\n".join(rows) + "\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "refund.yaml").write_text(FILE.replace("FOLDER", str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    assert run(["sync", "project/refund.yaml"]) == 0, capsys.readouterr().err
    capsys.readouterr()
    return tmp_path / "project"


def test_too_few_outcomes_are_said_by_audit_and_build_before_training(project: Path, capsys: Captured) -> None:
    run(["audit"])
    said = " ".join(capsys.readouterr().out.split())
    assert "cannot be judged yet" in said
    assert "Next: sync more history. Training needs at least 50 positive outcomes, and 7 came." in said
    assert run(["build"]) == 0
    assert "Next: sync more history. Training needs at least 50 positive" in capsys.readouterr().out


def test_a_file_is_found_from_inside_its_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    run(["audit"])
    monkeypatch.chdir(project)
    assert run(["audit", "refund", "--apply", "answers"]) == 0, capsys.readouterr().err
    assert "answers:" in (project / "refund.yaml").read_text()


def test_a_file_that_is_gone_is_said_with_where_it_was_looked_for(project: Path, capsys: Captured) -> None:
    run(["audit"])
    (project / "refund.yaml").rename(project / "other.yaml")
    assert run(["audit", "refund", "--apply", "answers"]) == 2
    assert f"There is no file {project / 'refund.yaml'} any more." in capsys.readouterr().err
    assert run(["sync", str(project / "other.yaml")]) == 0  # the same text, now elsewhere
    assert run(["audit", "refund", "--apply", "answers"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("command", ["audit", "build", "train"])
def test_a_file_that_changed_since_sync_is_said(project: Path, command: str, capsys: Captured) -> None:
    with (project / "refund.yaml").open("a") as file:
        file.write("# a word more\n")
    run([command, "refund"])
    assert f"{project / 'refund.yaml'} has changed since it was synced" in capsys.readouterr().out


def test_a_mistake_is_not_said_to_stand_below_where_it_stands_above(project: Path, capsys: Captured) -> None:
    (project / "refund.yaml").write_text("use_case: refund\n")
    assert run(["sync", str(project / "refund.yaml")]) == 2
    assert "below" not in capsys.readouterr().err


def test_what_the_audit_cannot_judge_by_the_outcomes_clock_is_a_caution_of_the_comparison() -> None:
    def early(share: float) -> Finding:
        return Finding(
            "outcome-known-early", "label", "warns", "bookings", "booked_at", "Known.", "Repair.", "me", share=share
        )

    (caution,) = clock_cautions([early(1.0)])
    assert caution.startswith("The audit cannot judge whether the data can carry a pilot: by its clock the outcome")
    assert clock_cautions([early(0.5)]) == ()
