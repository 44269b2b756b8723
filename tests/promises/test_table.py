"""The table of promises: what was not measured is said, and does not pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.promises.table import PROMISES, Part, forget, report, table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "promises.json"


def part(figure: str, n: int, passed: bool = True, what: str = "") -> Part:
    return Part(what=what, figure=figure, n=n, passed=passed)


def test_a_promise_that_nobody_measured_fails_the_table(file: Path) -> None:
    for number in PROMISES:
        report(number, "a test", part("fine", 3), file)
    assert table(file)[1]
    forget(4, "a test", file)
    text, holds = table(file)
    assert not holds
    assert text.count("NOT MEASURED") == 1


def test_the_longer_of_two_versions_is_told_and_the_shorter_must_pass_too(file: Path) -> None:
    report(7, "short", part("12 of 12", 12, what="keys"), file)
    report(7, "long", part("900 of 900", 900, what="keys"), file)
    report(7, "long", part("409 for all", 30, what="in flight"), file)
    assert json.loads(file.read_text())["7"] | {"parts": None} == {
        "figure": "keys: 900 of 900; in flight: 409 for all",
        "n": 930,
        "pass": True,
        "parts": None,
    }
    report(7, "short", part("11 of 12", 12, passed=False, what="keys"), file)
    assert json.loads(file.read_text())["7"]["pass"] is False


def test_what_a_test_said_is_forgotten_when_it_runs_again(file: Path) -> None:
    report(6, "a test", part("1 lost", 3_000, passed=False), file)
    forget(6, "a test", file)
    report(6, "a test", part("0 lost", 3_000), file)
    assert json.loads(file.read_text())["6"]["pass"] is True
