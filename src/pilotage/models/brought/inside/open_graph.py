"""Opens a graph that was signed here in a process of its own, as one that is brought: what is in it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilotage.models.brought.inside.answering import answer
from pilotage.models.brought.inside.check_graph import described, refuse_unsafe


def look(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Nothing, once the graph was found to be one that may be run, and the runtime opened it."""
    content = (folder / "model.onnx").read_bytes()
    refuse_unsafe(content)
    described(content)
    return {}


if __name__ == "__main__":
    answer(look)
