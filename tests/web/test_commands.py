"""Which addresses only this machine can reach."""

from __future__ import annotations

import pytest

from pilotage.web.precautions import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_these_are_this_machine_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "console.example"])
def test_these_are_not(host: str) -> None:
    assert not is_loopback(host)
