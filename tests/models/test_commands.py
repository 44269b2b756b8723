"""What `pilotage compare` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from pilotage.models import commands
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from tests.models.conftest import Trained


@pytest.fixture
def door(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    @contextmanager
    def opened() -> Iterator[Workspace]:
        yield trained.work

    monkeypatch.setattr(commands, "opened", opened)
    monkeypatch.setattr(usecase, "find", lambda work, name: trained.definition)
    return trained


def test_compare_prints_the_table_the_sentence_and_what_comes_next(
    door: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.compare("late_arrival")
    printed = capsys.readouterr().out
    assert "The rule of today" in printed
    assert "Boosted trees" in printed
    assert door.comparison.reason in printed
    assert "Verdict: not enough evidence." in printed
    assert "Without a" in printed  # a row of the table, which a narrow terminal breaks
    assert "never acting would have been worth 0 USD" in printed
    assert "More than the rule, on the same days" in printed
    assert "Next: pilotage audit late_arrival" in printed


def test_compare_of_an_earlier_file_does_not_advise_what_would_be_refused(
    door: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = msgspec.structs.replace(door.definition, substance="another")
    monkeypatch.setattr(usecase, "find", lambda work, name: changed)
    commands.compare("late_arrival")
    assert "Next: pilotage build late_arrival" in capsys.readouterr().out


def test_compare_prints_one_document_for_machines(door: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    commands.compare("late_arrival", json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["recommended"] == door.comparison.recommended
    assert len(document["candidates"]) == 4


def test_compare_before_training_names_the_command(door: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.flow, "latest_comparison", lambda work, name: None)
    with pytest.raises(EvidenceMissing, match="pilotage train late_arrival"):
        commands.compare("late_arrival")


def test_compare_says_in_short_what_was_found_by_looking_closer(
    door: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.compare("late_arrival")
    printed = " ".join(capsys.readouterr().out.split())
    assert "Would more data help? " in printed
    assert "Without " in printed
    assert "Does it last? " in printed


def test_the_document_for_machines_has_all_of_it(door: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    commands.compare("late_arrival", json=True)
    document = json.loads(capsys.readouterr().out)
    assert len(document["learning"]["parts"]) == 4
    assert {one["name"] for one in document["ablation"]["groups"]} >= {"weather", "arrivals"}
    assert len(document["surest"]) == 6
    assert [one["name"] for one in document["bands"]] == ["low", "uncertain", "high"]
    assert document["candidates"][1]["train_seconds"] > 0
