"""Passwords as they are hashed where no test makes it quick."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from pilotage.govern.flow import passwords


@pytest.fixture(scope="module")
def fresh() -> ModuleType:
    """The module as a server loads it."""
    spec = importlib.util.find_spec(passwords.__name__)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_a_hash_costs_what_the_rfc_asks_for(fresh: ModuleType) -> None:
    made = fresh.hash_of("correct horse")
    assert extract_parameters(made) == RFC_9106_LOW_MEMORY
    assert fresh.fits("correct horse", made)
    assert not fresh.fits("correct horsf", made)


def test_where_there_is_no_password_as_much_is_reckoned(fresh: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    verify = PasswordHasher.verify

    def noted(hasher: PasswordHasher, made: str, said: str) -> bool:
        compared.append(made)
        return verify(hasher, made, said)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    assert not fresh.fits("correct horse", None)
    assert [extract_parameters(each) for each in compared] == [RFC_9106_LOW_MEMORY]
