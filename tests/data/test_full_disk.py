"""A disk that fills: said plainly, nothing partial is visible, nothing is left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotage.data import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import EvidenceMissing, StorageFull
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.data.shop import shop
from tests.data.stored import changed

SIZE_KB = 2048


@pytest.fixture
def small(tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    """An installation whose lake lies on a disk of two megabytes."""
    lake = tmp_path / "home" / "lake"
    lake.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "tmpfs", str(lake)]
    try:
        mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root can mount a small disk; run the tests in a container to have this one")
    workspace = open_workspace(Settings(home=tmp_path / "home"), clock)
    yield workspace
    workspace.close()
    subprocess.run(["umount", str(lake)], check=True)


def test_a_disk_that_fills_is_named_and_nothing_partial_is_kept(small: Workspace, shop_path: Path) -> None:
    changed(
        shop_path,
        "INSERT INTO visits WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 60000) "
        "SELECT hex(randomblob(40)), hex(randomblob(40)), n, 'a', '2013-12-02 00:00:00', '2013-12-02 00:00:00' FROM n",
    )
    with pytest.raises(StorageFull) as raised:
        flow.sync(small, shop())
    assert str(small.lake.root) in raised.value.message
    assert "Make room there and try again: pieces that were finished before are kept" in raised.value.repair
    assert flow.snapshot(small, "returns", "orders").rows == 60
    with pytest.raises(EvidenceMissing):
        flow.snapshot(small, "returns", "visits")
    assert not [*small.lake.root.glob(".*.tmp"), *small.lake.spill.glob("*")]
    changed(shop_path, "DELETE FROM visits WHERE length(visit_id) > 10")
    assert len(flow.sync(small, shop())) == 3


def test_a_small_file_that_does_not_fit_is_said_the_same(small: Workspace) -> None:
    with pytest.raises(StorageFull, match="is full"):
        small.lake.put(os.urandom(SIZE_KB * 2048), ".json")
    assert not [*small.lake.root.glob(".*.tmp")]
