"""What looks like a secret never reaches the log, nor does a line that is no event."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pilotage.platform.logs import BLACK, without_secrets


@pytest.mark.parametrize(
    ("text", "canary"),
    [
        ("key pk_canary-1234_5678 was sent", "canary"),
        ("postgresql+psycopg://anna:canary@db.example/control", "canary"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.c2lnbmF0dXJl", "eyJjYW5hcnkiOjF9"),
        ("connect failed: host=db password=canary user=anna", "canary"),
        ("/log-in?TOKEN=canary&x=1", "canary"),
    ],
)
def test_it_is_blackened(text: str, canary: str) -> None:
    assert canary not in without_secrets(text)
    assert BLACK in without_secrets(text)


@pytest.mark.parametrize(
    "text", ["version 3 released", "https://pilotage.example:8700/people", "passwords: none", "10:20"]
)
def test_the_rest_stays(text: str) -> None:
    assert without_secrets(text) == text


LIBRARY = """
import logging, warnings
from pilotage.platform.logs import configure, take_in_libraries
configure("INFO", "json")
take_in_libraries()
log = logging.getLogger("some.library")
log.info("nobody asked")
log.warning("connection of %s lost, password=canary", "db")
log.warning("%d wrong", "not a number")
warnings.warn("it is old", DeprecationWarning)
try:
    {}["canary of a person"]
except KeyError:
    log.exception("it failed")
"""


def test_what_libraries_say_are_events_without_secrets_and_without_what_an_error_quotes() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARY], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["library"] * 4
    assert [line["logger"] for line in lines] == ["some.library", "some.library", "py.warnings", "some.library"]
    assert lines[0]["message"] == f"connection of db lost, password={BLACK}"
    assert lines[1]["message"] == "%d wrong"
    assert "it is old" in lines[2]["message"]
    assert lines[3]["level"] == "error" and lines[3]["exception"].endswith("KeyError")
    assert "canary" not in done.stderr
