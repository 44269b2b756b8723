"""What was measured of the small shop, once for all tests of rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotage.audit.flow.measuring_all import measure
from pilotage.audit.measured import Measured
from pilotage.data import flow as data
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from tests.data.conftest import DAY
from tests.data.shop import fill, shop

__all__ = ["figures"]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """All figures of 60 clean orders of three stores, one of which nobody visits."""
    home = tmp_path_factory.mktemp("figures")
    _fill(home / "shop.db")
    work = open_workspace(Settings(home=home / "home"), FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP", f"sqlite:///{home / 'shop.db'}")
        data.sync(work, shop())
    found = measure(work, shop(), data.current_snapshots(work, shop()))
    work.close()
    return found


def _fill(path: Path) -> None:
    stores = ["north", "south", "west"]
    orders = [DAY + n * timedelta(minutes=70) for n in range(60)]
    visits = [DAY + n * timedelta(minutes=30) for n in range(150)]
    fill(path, "orders", [(f"o{n}", stores[n % 3], float(n), at, at) for n, at in enumerate(orders)])
    fill(path, "visits", [(f"v{n}", stores[n % 2], float(n % 9), "abc"[n % 3], at, at) for n, at in enumerate(visits)])
    fill(path, "returns", [(f"o{n}", int(n % 3 == 0), at + timedelta(hours=20)) for n, at in enumerate(orders)])
