"""A child process that does one thing in a folder of its own, within limits, and leaves an answer there.

Only what the answer names is read back: JSON and plain bytes, never an object. The environment is not handed on, so
that no secret of this process reaches the child.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from pilotage.models.brought.files import MODEL_BYTES_MAX, read_given
from pilotage.models.brought.refused import ModelRefused

TASK, ANSWER = "task.json", "answer.json"
_ANSWER_BYTES_MAX = 4 * 1024 * 1024
_ERROR_BYTES = 2000
_PROGRAM = "pilotage.models.brought.inside."
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "TZ")


class Limits(msgspec.Struct, frozen=True):
    """What a child may use: wall clock, and memory in bytes (address space; 0 for no limit)."""

    seconds: float
    memory_bytes: int = 4 * 1024**3


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder that exists as long as the child's work."""
    with TemporaryDirectory(prefix="pilotage-model-") as folder:
        yield Path(folder).resolve()


def run(program: str, folder: Path, task: Mapping[str, Any], limits: Limits, who: str) -> Any:
    """What the program answered.

    Raises:
        ModelRefused: it refused, crashed, took too long or answered nothing.
    """
    (folder / TASK).write_bytes(msgspec.json.encode({**task, "memory_bytes": limits.memory_bytes}))
    status, said = _finished(program, folder, limits)
    if status is None:
        raise ModelRefused(
            f"{who}: it was not done after {limits.seconds:g} seconds and was stopped.",
            "Make it faster, or allow it more time.",
        )
    answer = _answer(folder, who) if (folder / ANSWER).exists() else {}
    if "refused" in answer:
        raise ModelRefused(f"{who}: {answer['refused']}", str(answer.get("repair", "")))
    if status != 0 or "done" not in answer:
        raise ModelRefused(f"{who}: {_ended(status)} {said}".strip(), "Check the file, or the code that it runs.")
    return answer["done"]


def read_left(folder: Path, name: str, who: str, bytes_max: int = MODEL_BYTES_MAX) -> bytes:
    """A file that a child left in its folder."""
    return read_given(folder / name, who, bytes_max)


def _finished(program: str, folder: Path, limits: Limits) -> tuple[int | None, str]:
    """The exit status, None where it was stopped, and the last line it wrote to its standard error."""
    command = [sys.executable, "-I", "-m", _PROGRAM + program, str(folder)]
    with (folder / "errors.txt").open("wb") as errors:
        child = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            status: int | None = child.wait(limits.seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _stop(child)
    return status, _last_line(folder / "errors.txt")


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ends the child and whatever it started in its session."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        child.kill()
    child.wait()


def _environment(folder: Path) -> dict[str, str]:
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    private = {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    private["ORT_DISABLE_TELEMETRY"] = "1"  # see graph/runtime.py; a converter may import the library before we do
    return {**handed_on, **one_thread, **private}


def _answer(folder: Path, who: str) -> dict[str, Any]:
    content = read_given(folder / ANSWER, who, _ANSWER_BYTES_MAX)
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise ModelRefused(f"{who}: its process left no readable answer.", "Check that the file is whole.") from None


def _last_line(path: Path) -> str:
    lines = path.read_bytes()[-_ERROR_BYTES:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _ended(status: int) -> str:
    if status >= 0:
        return f"the process that opened it ended with status {status}."
    name = signal.Signals(-status).name if -status in {one.value for one in signal.Signals} else str(-status)
    return f"the process that opened it crashed ({name})."
