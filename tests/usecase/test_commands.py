"""The commands of the use case, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotage.cli.main import run
from tests.usecase.example import TEXT


def test_the_brief_of_a_file_is_printed_and_nothing_is_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "late.yaml"
    file.write_text(TEXT)
    assert run(["brief", str(file)]) == 0
    assert "Dispatch planners" in capsys.readouterr().out
    assert run(["brief", "late_arrival"]) == 2
    assert "There is no use case late_arrival" in capsys.readouterr().err
