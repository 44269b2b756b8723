"""Acknowledged means durable: whatever a crash takes, it takes nothing that was acknowledged."""

from __future__ import annotations

import pytest
from tests.decisions.crashing import live_through

from pilotage.platform.workspace import Workspace

CRASHES = 100


@pytest.mark.only_sqlite
def test_a_hundred_crashes_that_drop_unsynced_writes_lose_and_repeat_nothing(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = live_through(work, CRASHES, 1, monkeypatch)
    assert lived.crashes == CRASHES
    assert len(lived.acknowledged) > CRASHES, "it was worth crashing"
    assert lived.in_drain > 5
    assert len(lived.withdrawn) > 5
