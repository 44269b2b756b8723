"""Acknowledged means durable: whatever a crash takes, it takes nothing that was acknowledged."""

from __future__ import annotations

import pytest
from tests.decisions.crashing import live_through

from pilotage.platform.workspace import Workspace

CRASHES = {"sqlite": 70, "postgresql": 30}
"""By the ledger that the spool is drained into."""


@pytest.mark.both_stores
def test_crashes_that_drop_unsynced_writes_lose_and_repeat_nothing(
    work: Workspace, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = CRASHES[store]
    lived = live_through(work, crashes, 1, monkeypatch)
    assert lived.crashes == crashes
    assert len(lived.acknowledged) > crashes, "it was worth crashing"
    assert lived.in_drain > crashes // 20
    assert len(lived.withdrawn) > crashes // 20
