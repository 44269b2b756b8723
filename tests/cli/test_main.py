"""The command line as a person or a machine meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilotage.cli import main as cli
from pilotage.platform.errors import GateClosed, InvalidFile, Problem

HEAVY = (
    "sklearn",
    "lightgbm",
    "duckdb",
    "pyarrow",
    "interpret",
    "sqlglot",
    "litestar",
    "vl_convert",
    "sqlalchemy",
    "scipy",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run_with(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> None:
    """Let every command end in this error."""

    def application() -> object:
        def command(tokens: list[str]) -> None:
            if error is not None:
                raise error

        return command

    monkeypatch.setattr(cli, "application", application)


def test_help_names_every_command_in_under_300_ms_and_imports_nothing_heavy() -> None:
    """Time of the processor, not of the clock: other tests may be running beside this one."""
    probe = (
        "import sys, time\nfrom pilotage.cli.main import run\nrun(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\nprint(time.process_time())"
    )
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", probe]
    seconds = []
    for _ in range(4):
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        *printed, heavy, spent = done.stdout.splitlines()
        assert heavy == "[]"
        seconds.append(float(spent))
    for _, commands in cli.COMMANDS:
        for words, _, _ in commands:
            assert any(words.split()[0] in line for line in printed), words
    assert min(seconds) < 0.3, seconds


def test_an_unknown_command_is_named_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verfy"]) == 2
    assert "There is no command 'verfy'. Did you mean verify?" in capsys.readouterr().err


def test_a_missing_argument_is_a_usage_error_also_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["person", "add", "--json"]) == 2
    said = json.loads(capsys.readouterr().err)
    assert said["error"] == "usage"
    assert "requires an argument" in said["message"]


def test_every_mistake_is_printed_and_the_exit_code_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [Problem("brief.risk", "is 'some'", "Choose minimal.", 4, 9), Problem("owner", "is missing")]
    run_with(monkeypatch, InvalidFile("use-case.yaml has 2 mistakes.", "Correct them.", problems))
    assert cli.run(["check"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "Error: use-case.yaml has 2 mistakes.",
        "  4:9 brief.risk: is 'some' Choose minimal.",
        "  owner: is missing",
        "Correct them.",
    ]
    assert cli.run(["check", "--json"]) == 2
    said = json.loads(capsys.readouterr().err)
    assert [problem["where"] for problem in said["problems"]] == ["brief.risk", "owner"]


def test_a_closed_gate_exits_with_1_and_an_interruption_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_with(monkeypatch, GateClosed("The gate did not pass."))
    assert cli.run(["gate"]) == 1
    run_with(monkeypatch, KeyboardInterrupt())
    assert cli.run(["sync"]) == 130
    run_with(monkeypatch, None)
    assert cli.run(["sync"]) == 0


def test_a_defect_leaves_a_trace_without_secrets_and_exits_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    run_with(monkeypatch, ZeroDivisionError("pk_canary1234567 postgresql://anna:canary@host/db"))
    assert cli.run(["sync"]) == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    (trace,) = (home / "errors").iterdir()
    assert str(trace) in said
    assert "ZeroDivisionError" in trace.read_text()
    assert "canary" not in trace.read_text()
    assert trace.stat().st_mode & 0o077 == 0


def test_a_person_and_a_key_are_made_and_printed_once(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert cli.run(["person", "add", "anna", "--role", "owner", "--use-case", "late_arrival", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["password"]) >= 20
    assert cli.run(["key", "make", "dispatch", "--use-case", "late_arrival"]) == 0
    assert "shown this once: pk_" in capsys.readouterr().out
    assert cli.run(["person", "add", "anna"]) == 2
    assert "anna already" in capsys.readouterr().err


def test_every_command_that_is_named_exists() -> None:
    from importlib import import_module

    missing = []
    for _, commands in cli.COMMANDS:
        for _, where, _ in commands:
            module, name = where.split(":")
            if not callable(getattr(import_module(module), name, None)):
                missing.append(where)
    assert missing == []
