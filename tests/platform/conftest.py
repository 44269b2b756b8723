"""A database of either kind in which nothing was made yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres import FreshDatabases

from pilotage.platform.database import Database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Empty, without a schema."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'control.db'}")
        yield opened
        opened.close()
        return
    databases: FreshDatabases = request.getfixturevalue("fresh_databases")
    with databases.one("template1") as url:
        opened = Database(url)
        yield opened
        opened.close()
