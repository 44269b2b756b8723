"""A shop with rows in SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.data.shop import TABLES, fill

DAY = datetime(2013, 12, 1, tzinfo=UTC)


@pytest.fixture
def shop_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of a shop: 60 orders over three days, visits every half hour, returns of every third order."""
    path = tmp_path / "shop with a space.db"
    monkeypatch.setenv("SHOP", f"sqlite:///{path}")
    for table in TABLES:
        fill(path, table, [])
    orders = [DAY + n * timedelta(minutes=70) for n in range(60)]
    stores = ["north", "south", "west"]
    fill(path, "orders", [(f"o{n}", stores[n % 3], float(n), at, at) for n, at in enumerate(orders)])
    visits = [DAY + n * timedelta(minutes=30) for n in range(150)]
    fill(path, "visits", [(f"v{n}", stores[n % 2], float(n % 9), "abc"[n % 3], at, at) for n, at in enumerate(visits)])
    fill(path, "returns", [(f"o{n}", int(n % 3 == 0), at + timedelta(hours=20)) for n, at in enumerate(orders)])
    return path
