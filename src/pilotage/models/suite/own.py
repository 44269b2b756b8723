"""The user's own tests of a model: their file, run by pytest in a process of its own. Their code is theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import msgspec

from pilotage.govern.rules.masking import masked_text
from pilotage.models.suite.preparing import Artefact
from pilotage.models.suite.records import Limits, Result
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Definition

PLACE = Path("tests") / "model_tests.py"
CHECK = "own"
SECONDS_MAX = 600
_NO_TESTS, _RAN = 5, (0, 1, 5)
_SAID_MAX = 1_000


class OwnTests(msgspec.Struct, frozen=True):
    """What the process that ran them leaves behind: the limits that the file sets, and each test."""

    limits: Limits = Limits()
    results: tuple[Result, ...] = ()


def own_file(work: Workspace, definition: Definition, given: Path | None = None) -> Path | None:
    """Where the user's tests are: the file given, else ``tests/model_tests.py`` beside the use-case file or here.

    Raises:
        NotFound: the file given is not there.
    """
    if given is not None:
        if not given.is_file():
            raise NotFound(f"There is no file {given}.", f"Give the path of your tests, or write {PLACE}.")
        return given.resolve()
    adopted = usecase.file_of(work, definition.name)
    folders = [adopted.parent] if adopted is not None else []
    return next((path.resolve() for path in (folder / PLACE for folder in [*folders, Path()]) if path.is_file()), None)


def run_own(
    work: Workspace, definition: Definition, artefact: Artefact, file: Path, seconds: float = SECONDS_MAX
) -> tuple[Limits, tuple[Result, ...]]:
    """The limits that the file sets and what its tests say; a file that cannot be run is a failure like any other."""
    if find_spec("pytest") is None:
        said = f"{file.name} needs pytest, which is not installed: pip install pytest."
        return Limits(), (Result(CHECK, "", "FAIL", said),)
    with tempfile.TemporaryDirectory() as folder:
        left = Path(folder) / "own.json"
        command = [sys.executable, "-m", "pytest", str(file), *_arguments(definition, artefact, left)]
        try:
            ended = subprocess.run(  # noqa: S603  the user's tests, by the user's own command
                command,
                cwd=_project(file),
                env=os.environ | _settings(work),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            said = f"{file.name} did not end within {seconds:,.0f} s."
            return Limits(), (Result(CHECK, "", "FAIL", said),)
        if ended.returncode not in _RAN or not left.exists():
            said = (ended.stdout + ended.stderr)[-_SAID_MAX:]
            return Limits(), (Result(CHECK, "", "FAIL", masked_text(f"{file.name} cannot be run: {said}")),)
        found = msgspec.json.decode(left.read_bytes(), type=OwnTests)
    return found.limits, found.results


def _arguments(definition: Definition, artefact: Artefact, left: Path) -> list[str]:
    return [
        "-p",
        "pilotage.models.suite.fixtures",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        "-q",
        f"--pilotage-use-case={definition.name}",
        f"--pilotage-artefact={msgspec.json.encode(artefact).decode()}",
        f"--pilotage-report={left}",
    ]


def _project(file: Path) -> Path:
    """The folder that the tests belong to."""
    return file.parent.parent if file.parent.name == "tests" else file.parent


def _settings(work: Workspace) -> dict[str, str]:
    """The same installation for the child, from wherever it runs."""
    found = {"PILOTAGE_HOME": str(work.home.resolve())}
    if work.settings.database_url:
        found["PILOTAGE_DATABASE_URL"] = work.settings.database_url
    return found
