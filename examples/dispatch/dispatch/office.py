"""The office as the commands and the pages use it: a database, a world ahead of it, and weather files."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from .clock import require_clock
from .database import open_engine
from .errors import DispatchError
from .settings import Settings
from .world import World


@dataclass(frozen=True)
class Office:
    """What it takes to move the clock."""

    engine: Engine
    world: World
    weather_folder: Path


def open_office(settings: Settings) -> Office:
    """The loaded office of these settings; a plain refusal when nothing has been loaded."""
    office = Office(open_engine(settings.database_url), World(settings.world_folder), settings.weather_folder)
    require_clock(office.engine)
    if not settings.world_folder.is_dir():
        raise DispatchError(f"The world's events are missing from {settings.world_folder}: run `load` again.")
    return office
