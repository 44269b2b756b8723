"""Tokens of cards that an app's own server signs are, to the byte, those of the table that every client holds to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pilotage.client import sign_card_token

TABLE = json.loads((Path(__file__).parents[2] / "clients" / "vectors.json").read_text())["card_tokens"]


@pytest.mark.parametrize("vector", TABLE, ids=lambda each: each["name"])
def test_a_token_is_that_of_the_table(vector: dict[str, Any]) -> None:
    said = {name: value for name, value in vector.items() if name not in {"name", "secret", "token", "error"}}
    if "error" in vector:
        with pytest.raises(ValueError):
            sign_card_token(vector["secret"], **said)
    else:
        assert sign_card_token(vector["secret"], **said) == vector["token"]


def test_a_refusal_does_not_repeat_the_secret() -> None:
    with pytest.raises(ValueError) as refused:
        sign_card_token("key_1.0123", "late_arrival", entity="x", origin="https://app.example", person="maria")

    assert "0123" not in str(refused.value)
    assert "--card-secret" in str(refused.value)
