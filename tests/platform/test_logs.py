"""What looks like a secret never reaches the log."""

from __future__ import annotations

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
