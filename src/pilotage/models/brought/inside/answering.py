"""A child's side of the contract: the task as it was put, the answer as it is read, and limits on memory."""

from __future__ import annotations

import re
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

TASK, ANSWER = "task.json", "answer.json"
_WORDS_MAX = 240


class Refusal(Exception):
    """The child cannot do what it was asked for: why, and what to do."""

    def __init__(self, message: str, repair: str = "") -> None:
        self.message, self.repair = message, repair
        super().__init__(message)


_NAN = re.compile(r"\bnan\b|missing values", re.IGNORECASE)
_stage = ["it was opened", "Check that the file is whole.", ""]
"""What is being done, for an error of somebody else's code, what mostly helps then, and what where NaN is its cause."""


def now(what: str, repair: str, of_nan: str = "") -> None:
    """Says what is done from here on. ``of_nan`` helps where an error speaks of missing values."""
    _stage[:] = [what, repair, of_nan]


def answer(work: Callable[[Path, dict[str, Any]], dict[str, Any]]) -> None:
    """Reads the task in the folder of the first argument, does the work and writes what came of it."""
    folder = Path(sys.argv[1])
    task = msgspec.json.decode((folder / TASK).read_bytes(), type=dict[str, Any])
    _limit_memory(task["memory_bytes"])

    def refuse(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Whatever ends this process unforeseen is the answer: the code that raised it is not ours."""
        sys.__excepthook__(kind, error, trace)
        what, repair, of_nan = _stage
        repair = of_nan if of_nan and _NAN.search(str(error)) else repair
        _write(folder, {"refused": f"while {what} it raised {words(error)}{_place(trace)}.", "repair": repair})

    sys.excepthook = refuse
    try:
        said: dict[str, Any] = {"done": work(folder, task)}
    except Refusal as refusal:
        said = {"refused": refusal.message, "repair": refusal.repair}
    except MemoryError:
        said = {"refused": f"while {_stage[0]} it needed more memory than it may use.", "repair": "Make it smaller."}
    _write(folder, said)


def words(error: BaseException) -> str:
    """An error of somebody else's code in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_WORDS_MAX].rstrip('.')}" if text else type(error).__name__


def _place(trace: TracebackType | None) -> str:
    """Where in the user's own file it was raised, where that is not a library."""
    own = [
        one for one in traceback.extract_tb(trace) if not one.filename.startswith((sys.prefix, sys.base_prefix, "<"))
    ]
    outside = [one for one in own if "pilotage" not in Path(one.filename).parts]
    return f" ({Path(outside[-1].filename).name}, line {outside[-1].lineno})" if outside else ""


def _limit_memory(memory_bytes: int) -> None:
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write(folder: Path, said: dict[str, Any]) -> None:
    (folder / ANSWER).write_bytes(msgspec.json.encode(said))
