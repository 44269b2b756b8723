"""An environment of its own for each app that a recipe is about, from PyPI, made once and kept in .cache/recipes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "examples" / "recipes"
CACHE = ROOT / ".cache" / "recipes"
_SECONDS = 300


def environment(name: str, *requirements: str) -> Path:
    """The Python of an environment with these requirements and what our client needs; made on first use.

    Where PyPI cannot be reached the test is skipped; with ``PROMISES=1`` it fails, so that no promise rests on a skip.
    """
    wanted = "\n".join([*requirements, "httpx", "msgspec"])
    folder, note = CACHE / name, CACHE / name / "requirements.txt"
    python = folder / "bin" / "python"
    if python.exists() and note.exists() and note.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    said = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted.split("\n")]
    done = subprocess.run(said, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        said_no = pytest.fail if os.environ.get("PROMISES") else pytest.skip
        said_no(f"{name} could not be installed: {done.stderr[-500:]}")
    note.write_text(wanted)
    return python


def changed_lines(diff: str) -> int:
    """How many lines a unified diff adds or takes away, headers not counted."""
    lines = diff.splitlines()
    return sum(line[:1] in {"+", "-"} and not line.startswith(("+++ ", "--- ")) for line in lines)


def fenced(page: Path, language: str) -> str:
    """The first fenced block of this language on a page."""
    _, _, rest = page.read_text(encoding="utf-8").partition(f"```{language}\n")
    return rest.partition("```")[0]


def surroundings(given: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a host app: the machine's, what the recipe says, and where our client lies."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PILOTAGE_", "PYTEST_"))}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), **given}


@contextmanager
def running(python: Path, folder: Path, given: Mapping[str, str], address: str, *arguments: str) -> Iterator[None]:
    """A host app in a process of its own until the end of the block, once it answers at its address."""
    log = folder / "app.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(python), *arguments], cwd=folder, env=surroundings(given), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(process, address, log)
        yield
    finally:
        process.terminate()
        process.wait(20)


def wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Until a program answers at its address, or has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(address, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} does not answer:\n{log.read_text()[-3000:]}")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
