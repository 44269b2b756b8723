"""What every test may ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace


@pytest.fixture
def clock() -> FixedClock:
    """Stands still in the evening of 5 December 2013, UTC."""
    return FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC))


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The control database of an installation that nothing was done in yet: made once, to be copied."""
    home = tmp_path_factory.mktemp("fresh")
    open_workspace(Settings(home=home)).close()
    return home / "pilotage.db"


@pytest.fixture
def work(tmp_path: Path, clock: FixedClock, fresh_database: Path) -> Iterator[Workspace]:
    """A fresh installation in a directory of its own."""
    (tmp_path / "home").mkdir()
    shutil.copy(fresh_database, tmp_path / "home")
    workspace = open_workspace(Settings(home=tmp_path / "home"), clock)
    yield workspace
    workspace.close()
