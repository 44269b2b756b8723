"""One world of January 2013 and one office of its fourth morning, copied for each test that moves the clock."""

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from dispatch.archive import ARCHIVE_NAME
from dispatch.load import load
from dispatch.manifest import Manifest
from dispatch.office import Office, open_office
from dispatch.settings import Settings

REPOSITORY = Path(__file__).parents[3]
START = datetime.fromisoformat("2013-01-04T05:00")
JANUARY = Manifest(months=(1, 1), start=START)


@pytest.fixture(scope="session")
def archive() -> Path:
    path = Path(os.environ.get("DISPATCH_DATA", REPOSITORY / ".cache" / "data" / ARCHIVE_NAME))
    if not path.is_file():
        pytest.skip(f"the flight archive is not at {path}; set DISPATCH_DATA")
    return path


def settings_in(home: Path) -> Settings:
    return Settings(home=home, database_url=f"sqlite:///{home / 'dispatch.db'}", weather_folder=home / "weather")


@pytest.fixture(scope="session")
def loaded_home(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office nobody may change; copy it."""
    home = tmp_path_factory.mktemp("loaded") / "home"
    load(settings_in(home), JANUARY, archive, again=False, say=lambda line: None)
    return home


@pytest.fixture
def new_office(loaded_home: Path, tmp_path: Path) -> Callable[[str], Office]:
    """Opens a copy of the loaded office under a name."""

    def copy(name: str) -> Office:
        shutil.copytree(loaded_home, tmp_path / name)
        return open_office(settings_in(tmp_path / name))

    return copy


@pytest.fixture
def office(new_office: Callable[[str], Office]) -> Office:
    return new_office("home")
